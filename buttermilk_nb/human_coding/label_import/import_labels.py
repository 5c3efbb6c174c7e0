"""`import_labels` reads labels from files and checks all of them before it writes any.

A code that cannot be used (its record is not in the corpus, or its answer is not on the scale) is left out and listed,
like a rejected row of a corpus. A code that differs from an earlier one of the same coder stops the whole import, until
the caller says which one counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from ..._internal.arguments import check_arguments
from ..._internal.markdown import code_list
from ...corpus.code_translation import CodeTranslation
from ...corpus.corpus import Corpus, require_corpus
from ...corpus.match_ids import match_ids, offer_rule
from ...errors import SetupError, nearest
from ...project.project import Project
from ...project.session import require_project
from ..coded_texts.coded_text import CodedText
from ..labels import keep_labels
from ..questionnaire import CriteriaChoice, require_questionnaire
from ..worklist import Item, worklist
from .checks import CodeChecker, known_codes
from .form_layouts import other_documents
from .layouts import codes_in, columns_without_coder, is_wide
from .passage_codes import PassageReader
from .passage_tables import passage_columns, read_passages
from .raw_codes import LAYOUTS, OUTSIDE, Columns, ImportOptions, Layout, RawCode
from .result import ImportedLabels
from .tables import ROW, LabelTable, in_order_of_corpus, table_remarks, tables_of

OnClash = Literal["report", "keep", "replace"]
_ON_CLASH = ("report", "keep", "replace")


@check_arguments
def import_labels(
    source: Any,
    corpus: Corpus,
    criteria: CriteriaChoice,
    *,
    coder: str | None = None,
    layout: Layout = "auto",
    record_id: str | None = "record_id",
    columns: Columns | None = None,
    values: Mapping[Any, Any] | None = None,
    codes: Mapping[str, str | None] | None = None,
    unmarked: Any = None,
    records: Mapping[str, str] | None = None,
    sample: Any = None,
    round: str = "1",  # noqa: A002  # the column's name
    preview: bool = False,
    on_clash: OnClash = "report",
    project: Project | None = None,
) -> ImportedLabels:
    """Import people's codes and the passages that they marked, from tables and from the files of other programs.

    You can import the same file again: codes that are already in the project are not written twice.

    Parameters
    ----------
    source
        The path of a file, folder or zip, a dataframe, or a list of these. Tables are `.csv`, `.xlsx`, `.json`,
        `.jsonl`, `.sav` and `.dta`. Of other programs, it reads projects of REFI-QDA (`.qdpx`: MAXQDA, NVivo, ATLAS.ti,
        ...), INCEpTION and WebAnno (`.tsv`, CAS as `.json` or `.xmi`), brat (`.ann`), CATMA (`.xml`), Label Studio,
        doccano, Prodigy, Argilla and Potato (`.json`, `.jsonl`), and tables with a row for each passage.
    corpus
        The coded records.
    criteria
        The criteria of the codes, in the wording that the coders read, or the path of their file, or a list of these.
    coder
        The coder's name, if the file does not contain it.
    layout
        `sheet` is a file that `coding_sheet` made; `long` has one row per code, with the columns record_id, coder,
        criterion, category (and notes); `wide` has one column per coder or, if `coder` is given, per criterion; `form`
        has one row per coder and record, with a column `coder` and one per criterion; `passages` has one row per coded
        passage. `auto` detects the layout.
    record_id
        The column with the ids of the records; in the files of other programs a field of their data. None for a table
        whose rows are in the order of the corpus.
    columns
        For a wide table, the columns with codes: a list of columns named like the coders, or a mapping
        `{"kf": "kf_column"}` or `{"kf": {"respect": "kf_respect"}}`; by default all columns but the ids, `text` and
        `notes`. For a long table, the names of its columns: `{"coder": "annotator", "category": "code"}`. For forms,
        the columns of coder, notes and criteria: `{"coder": "annotator", "respect": "Q1"}`. For passages, the columns
        of `record_id`, `code`, `text`, `coder`, `notes`, `start` and `end`.
    values
        The meaning of codes that are not words of the scale: `{"1": "yes", "0": "no"}`.
    codes
        What the codes of another program mean: `{"Angst": "emotion: fear", "todo": None}`, where None leaves a code
        out. By default a code means the yes/no question or the answer of its name.
    unmarked
        The answer if a coder of another program marked nothing for a question in a text: `"no"`, or a mapping by
        question. By default there is no code then.
    records
        The records of texts that another program calls otherwise: `{"Interview 1.docx": "int-01"}`. By default a text
        is known by its name and its words; if these disagree, by its words.
    sample
        The coded sample, as `draw_sample` or `assign_coders` returned it. Each code then stores the probability with
        which its record was drawn, and codes of records outside the sample are rejected. You do not need it for a file
        that `coding_sheet` made.
    round
        The round of coding.
    preview
        With True, the codes are only checked; nothing is written.
    on_clash
        If a code differs from an earlier one of the same coder: `report` writes nothing and lists the clashes, `keep`
        keeps the earlier code, `replace` adds the later one, which then counts.
    project
        The project; by default the open one.

    Returns
    -------
    ImportedLabels
        Counts, and the frames `rejected` and `clashes`.

    Raises
    ------
    SetupError
        A file cannot be read, a column is missing, or a sheet was made for another wording of the criteria.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> from buttermilk_nb.project.session import init
    >>> from buttermilk_nb import Criteria, Record
    >>> _ = init("import-example", path=tempfile.mkdtemp())
    >>> corpus = Corpus([Record(record_id="a", content="They are vermin."), Record(record_id="b", content="Hello.")])
    >>> codes = pd.DataFrame({"record_id": ["a", "b"], "kf": ["no", "yes"], "ab": ["no", None]})
    >>> import_labels(codes, corpus, Criteria("respect", "Is it respectful?"))
    Imported:
      3 codes of 2 coders (ab, kf) on respect, 2 records; 1 place without a code
    """
    require_corpus(corpus, "`import_labels`")
    if layout not in LAYOUTS:
        raise SetupError(f"layout={layout!r} must be one of {', '.join(LAYOUTS)}; {nearest(str(layout), LAYOUTS)}")
    if on_clash not in _ON_CLASH:
        raise SetupError(f"on_clash={on_clash!r} must be one of {', '.join(_ON_CLASH)}.")
    questionnaire = require_questionnaire(criteria, "an import of labels")
    options = ImportOptions(
        questionnaire, coder, layout, record_id or ROW, columns, CodeTranslation(values), codes, unmarked, records
    )
    project = require_project(project)
    tables = list(tables_of(source))
    if record_id is None:
        tables = [in_order_of_corpus(table, corpus) for table in tables]
    raw_codes, remarks = _raw_codes(tables, corpus, options)
    known = {record.record_id for record in corpus}
    unknown = {code.record_id for code in raw_codes if code.record_id} - known
    match = match_ids(unknown, known)
    if match:
        raw_codes = [code._replace(record_id=match.known_ids.get(code.record_id, code.record_id)) for code in raw_codes]
    if sample is not None:
        raw_codes = _add_sample(raw_codes, corpus, sample)
    checker = CodeChecker(corpus, questionnaire, round, known_codes(project, corpus, questionnaire, round))
    for code in raw_codes:
        checker.add(code)
    new_labels = checker.new_labels(replace=on_clash == "replace")
    why_not = "preview: nothing was written" if preview else ""
    if not preview and checker.clashes and on_clash == "report":
        why_not = 'nothing was written because of the clashes: write on_clash="keep" or on_clash="replace"'
    if not why_not:
        ids = {label.record_id for label in new_labels}
        coded_records = [record for record in corpus if record.record_id in ids]
        keep_labels(project, new_labels, records=coded_records, documents=questionnaire.documents)
    id_remark = match.remark if match else offer_rule(unknown, known)
    remarks += [*table_remarks(tables, options.record_id), *([id_remark] if id_remark else [])]
    return checker.summary(len(new_labels), why_not, other_documents(tables, questionnaire), remarks)


def _raw_codes(tables: list[LabelTable], corpus: Corpus, options: ImportOptions) -> tuple[list[RawCode], list[str]]:
    """The codes of all tables, and remarks on those of other programs."""
    plain: list[LabelTable] = []
    texts: list[CodedText] = []
    reader = PassageReader(corpus, options)
    for table in tables:
        roles = None if table.coded else passage_columns(table, options)
        coded = table.coded or (read_passages(table, roles) if roles else None)
        if coded is None:
            plain.append(table)
            continue
        texts += coded.texts
        reader.remarks += () if table.coded else coded.remarks
    reader.remarks += [
        f"`{table.name}`: {code_list(names)} {'is no coder' if len(names) == 1 else 'are no coders'}; columns=[...] "
        "names the columns of the coders if that is wrong."
        for table in plain
        if is_wide(table, options) and (names := columns_without_coder(table, options))
    ]
    used = [table for table in plain if not table.sheet or options.record_id in table.columns]
    codes = [code for table in used or plain for code in codes_in(table, options)]
    return [*codes, *reader.codes(texts)], reader.remarks


def _add_sample(codes: list[RawCode], corpus: Corpus, sample: Any) -> list[RawCode]:
    """The codes with the sample and probability of their records. Codes outside the sample get a problem."""
    items_by_coder: dict[str, dict[str, Item]] = {}
    sampled_codes = []
    for code in codes:
        if code.coder not in items_by_coder:
            items = worklist(corpus, code.coder, order="corpus", sample=sample)
            items_by_coder[code.coder] = {item.record.record_id: item for item in items}
        item = items_by_coder[code.coder].get(code.record_id)
        if item is None:
            sampled_codes.append(code if code.problem else code._replace(problem=OUTSIDE))
        else:
            sampled_codes.append(code._replace(sample_id=item.sample_id, inclusion_p=item.inclusion_p))
    return sampled_codes
