"""`export_labels` writes people's codes for other programs, so that they can be read there and imported again."""

from __future__ import annotations

import io
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ..._internal.arguments import check_arguments, require_table
from ..._internal.markdown import code_list
from ..._internal.private_files import private_files
from ..._internal.text import pluralise
from ...codebook.refi_codebook import code_tree
from ...corpus.corpus import Corpus, require_corpus
from ...errors import SetupError, nearest
from ...project.project import Project
from ...project.session import require_project
from ...store.exporters.export import remember_export
from ...store.exporters.files import escape_formula_text
from ..coded_texts import label_studio_tasks, refi_qda, webanno_tsv
from ..coded_texts.coded_text import Code
from ..questionnaire import CriteriaChoice, Questionnaire, require_questionnaire
from .code_tables import long_table, wide_table
from .statistics_files import write_statistics_file
from .stored_codes import StoredCodes, coded_texts, stored_codes

TableLayout = Literal["long", "wide"]
_LAYOUTS = ("long", "wide")
Predictions = Mapping[str, Mapping[str, list[Code]]]


class _Export(NamedTuple):
    """What is written."""

    name: str
    codes: StoredCodes
    texts: Mapping[str, str]
    questionnaire: Questionnaire
    layout: TableLayout
    predictions: Predictions


@check_arguments
def export_labels(
    path: str | Path,
    corpus: Corpus,
    criteria: CriteriaChoice,
    *,
    coders: Iterable[str] | None = None,
    layout: TableLayout = "long",
    round: str | None = None,  # noqa: A002  # the column's name
    suggestions: Any = None,
    with_local_only: bool = False,
    replace: bool = False,
    project: Project | None = None,
) -> Path:
    """Write people's codes, with the passages that they marked, for another program.

    `import_labels` reads each of these files again; those for SPSS and Stata have no passages. Label Studio takes in no
    coders but its own users, so a task that has been there names whoever has imported it.

    Parameters
    ----------
    path
        The file. Its ending is the format: `.qdpx` is a project of REFI-QDA (MAXQDA, NVivo, ATLAS.ti, ...) with texts,
        codes and codings; `.zip` has a file of WebAnno TSV 3.3 for each text and coder (INCEpTION, with a layer
        `webanno.custom.Code`); `.json` has tasks for Label Studio, with its form beside it in `.config.xml`; `.csv` is
        a table; `.sav` (SPSS) and `.dta` (Stata) have a row per coder and record, with labelled numbers.
    corpus
        The coded records.
    criteria
        The criteria of the codes, or the path of their file, or a list of these.
    coders
        The coders; by default all. `coders=[]` writes the texts and questions alone, for people who should code blind.
    layout
        For `.csv`: `long` has a row per code, `wide` a row per record and a column per coder.
    round
        The round of coding; by default the only one.
    suggestions
        For `.json`: a frame of scores (`run.scores()`) whose answers the coders see before they answer. By default
        they see none.
    with_local_only
        Whether records that must not leave this computer are written too.
    replace
        Whether an existing file is replaced.
    project
        The project; by default the open one.

    Returns
    -------
    pathlib.Path
        The file. `forget` lists it as a copy that it cannot reach.

    Raises
    ------
    SetupError
        The file exists, its ending is unknown, or there is nothing to write.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> from buttermilk_nb import Criteria, Record, import_labels, init
    >>> _ = init("export-example", path=tempfile.mkdtemp())
    >>> corpus = Corpus([Record(record_id="a", content="They are vermin.")])
    >>> respect = Criteria("respect", "Is it respectful?")
    >>> _ = import_labels(pd.DataFrame({"record_id": ["a"], "kf": ["no"]}), corpus, respect)
    >>> export_labels(Path(tempfile.mkdtemp()) / "study.qdpx", corpus, respect).name
    'study.qdpx'
    """
    require_corpus(corpus, "`export_labels`")
    file = Path(path).expanduser()
    ending = file.suffix.lower()
    if ending not in _WRITERS:
        raise SetupError(f"`{file.name}`: codes are written as {', '.join(_WRITERS)}.")
    if layout not in _LAYOUTS:
        raise SetupError(f"layout={layout!r} must be one of {', '.join(_LAYOUTS)}; {nearest(str(layout), _LAYOUTS)}")
    if suggestions is not None and ending != ".json":
        raise SetupError("suggestions: only tasks for Label Studio (`.json`) show the answers of models.")
    if not file.parent.is_dir():
        raise SetupError(f"there is no folder `{file.parent}` (looked from {Path.cwd()}).")
    written = [file, file.with_suffix(".config.xml")] if ending == ".json" else [file]
    if not replace and (existing := [each for each in written if each.exists()]):
        raise SetupError(f"`{existing[0].name}` exists already; choose another name, or write replace=True.")
    questionnaire = require_questionnaire(criteria, "an export of labels")
    project = require_project(project)
    chosen = None if coders is None else [coders] if isinstance(coders, str) else list(coders)
    predictions = _predictions(suggestions, questionnaire)
    texts = {record.record_id: record.content for record in corpus if with_local_only or not record.local_only}
    codes = stored_codes(project, corpus, questionnaire, round)
    _check_coders(codes, chosen)
    codes = codes.select(texts, chosen)
    export = _Export(file.stem, codes, texts, questionnaire, layout, predictions)
    with private_files(file.parent), tempfile.TemporaryDirectory(dir=file.parent, prefix=".export-") as folder:
        made = Path(folder) / file.name
        _WRITERS[ending](export, file, made)
        for each in written:
            (made.parent / each.name).replace(each)
    remember_export(project.store, str(file.absolute()), ["records", "labels"])
    _warn_of_others(codes.n_other_versions, len(corpus) - len(texts))
    return file


def _check_coders(codes: StoredCodes, chosen: list[str] | None) -> None:
    unknown = [name for name in chosen or () if name not in codes.coders]
    if unknown:
        raise SetupError(f"coders: `{unknown[0]}` has no code on these records; {nearest(unknown[0], codes.coders)}")
    if chosen is None and codes.frame.empty:
        raise SetupError(
            "there is no code of these criteria on these records; coders=[] writes the texts and the questions alone."
        )


def _warn_of_others(n_other_versions: int, n_local_only: int) -> None:
    if n_other_versions:
        n = pluralise(n_other_versions, "code")
        warnings.warn(f"{n} left out: about another version of a text, or a record that is not written.", stacklevel=4)
    if n_local_only:
        n = pluralise(n_local_only, "record")
        warnings.warn(f"{n} left out: local_only; with_local_only=True writes them too.", stacklevel=4)


def _predictions(suggestions: Any, questionnaire: Questionnaire) -> Predictions:
    """The answers of models by model and record."""
    if suggestions is None:
        return {}
    require_table(suggestions, "suggestions", "run.scores()", ("record_id", "criterion", "category", "model"))
    found: dict[str, dict[str, list[Code]]] = {}
    for row in suggestions.to_dict("records"):
        question = questionnaire.find_question(row.get("criteria_hash", ""), row["criterion"])
        key = question.key if question else row["criterion"]
        if key not in questionnaire.keys:
            raise SetupError(
                f"suggestions: the criteria have no question `{key}`; there are {code_list(questionnaire.keys)}."
            )
        answer = row["category"] if isinstance(row["category"], str) else row.get("value")
        if answer is not None and answer == answer:
            found.setdefault(str(row["model"]), {}).setdefault(row["record_id"], []).append(Code((key,), answer))
    return found


def _write_project(export: _Export, _: Path, made: Path) -> None:
    questions = list(export.questionnaire)
    tree = code_tree([q.criterion for q in questions], keys=[q.key for q in questions])
    coded = coded_texts(export.codes, export.texts)
    made.write_bytes(refi_qda.write(export.name, coded, export.texts, tree))


def _write_webanno(export: _Export, _: Path, made: Path) -> None:
    for names in (export.texts, export.codes.coders):
        _check_file_names(names)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for record_id, text in export.texts.items():
            archive.writestr(f"source/{_file_name(record_id)}.txt", text)
        for item in coded_texts(export.codes, export.texts):
            tsv = webanno_tsv.write(item, item.text or "")
            archive.writestr(f"annotation/{_file_name(item.names[0])}.txt/{_file_name(item.coder)}.tsv", tsv)
    made.write_bytes(buffer.getvalue())


def _write_tasks(export: _Export, file: Path, made: Path) -> None:
    coded = coded_texts(export.codes, export.texts)
    tasks = label_studio_tasks.write_tasks(export.texts, coded, export.questionnaire, export.predictions)
    made.write_text(tasks, encoding="utf-8")
    form = label_studio_tasks.write_form(export.questionnaire)
    (made.parent / file.with_suffix(".config.xml").name).write_text(form, encoding="utf-8")


def _write_table(export: _Export, _: Path, made: Path) -> None:
    table = long_table(export.codes) if export.layout == "long" else wide_table(export.codes, export.questionnaire)
    texts = table.select_dtypes(include=["object", "string"]).columns
    safe = {name: [escape_formula_text(v) if isinstance(v, str) else v for v in table[name]] for name in texts}
    table.assign(**safe).to_csv(made, index=False)


def _write_statistics(export: _Export, file: Path, made: Path) -> None:
    write_statistics_file(export.codes, export.questionnaire, file, made)


def _check_file_names(names: Iterable[str]) -> None:
    """Raise an error if two names would be one file."""
    by_file: dict[str, str] = {}
    for name in names:
        other = by_file.setdefault(_file_name(name).casefold(), name)
        if other != name:
            raise SetupError(
                f"`{other}` and `{name}` would be one file in the zip; write a `.qdpx` or `.json` instead."
            )


def _file_name(name: str) -> str:
    """A name for a file in a zip: signs that folders and systems use for themselves are replaced."""
    return "".join("_" if sign in '/\\:*?"<>|' or sign < " " else sign for sign in name).strip(". ") or "unnamed"


_WRITERS: dict[str, Callable[[_Export, Path, Path], None]] = {
    ".qdpx": _write_project,
    ".zip": _write_webanno,
    ".json": _write_tasks,
    ".csv": _write_table,
    ".sav": _write_statistics,
    ".dta": _write_statistics,
}
