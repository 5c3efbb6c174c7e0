"""`coding_sheet` writes an Excel workbook for one coder; `import_labels` reads it back."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ..._internal.arguments import check_arguments
from ...corpus.corpus import Corpus
from ...errors import SetupError
from ..questionnaire import CriteriaChoice, Questionnaire, require_questionnaire
from ..worklist import Order, worklist
from . import workbook
from .columns import NOTES, clean_cell, code_columns


@check_arguments
def coding_sheet(
    corpus: Corpus,
    criteria: CriteriaChoice,
    *,
    coder: str,
    path: str | Path | None = None,
    sample: Any = None,
    order: Order = "shuffled",
    seed: int | None = None,
) -> Path:
    """Write an Excel workbook for one coder: a row for each text, a drop-down for each question.

    The second sheet is the codebook. The workbook contains no answers: neither of models nor of the expert nor of other
    coders. If a question has several labels, each label has a column of its own.

    Parameters
    ----------
    corpus
        The records.
    criteria
        The questions: criteria, or the path of their file, or a list of these. A file is read again.
    coder
        The coder's name.
    path
        The file; by default `coding-<criteria>-<coder>.xlsx` in the working folder. A sheet that somebody has begun to
        fill in is never overwritten.
    sample
        The records to code: a list of ids; or a number n, for the first n records in the coder's order; or a frame from
        `assign_coders` or `draw_sample`. By default, all records.
    order
        `shuffled` is an order of this coder's own; `corpus` is the order of the corpus.
    seed
        Coders with the same seed get the same order. By default, each gets their own.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    SetupError
        The file cannot be written, somebody has begun to fill it in, or there is nothing to code.

    Examples
    --------
    >>> import tempfile
    >>> from buttermilk_nb import Criteria, Record
    >>> corpus = Corpus([Record(record_id="a", content="They are vermin.")])
    >>> respect = Criteria("respect", "Is it respectful?")
    >>> coding_sheet(corpus, respect, coder="kf", path=Path(tempfile.mkdtemp()) / "kf.xlsx").name
    'kf.xlsx'
    """
    if not coder.strip():
        raise SetupError('a coding sheet needs a coder; write coder="kf", or any other short name.')
    questionnaire = require_questionnaire(criteria, "a coding sheet", reload=True)
    items = worklist(corpus, coder.strip(), order=order, seed=seed, sample=sample)
    default = f"coding-{_file_word(questionnaire.name)}-{_file_word(coder)}.xlsx"
    file = Path(path or default).expanduser()
    if file.suffix.lower() != ".xlsx":
        raise SetupError(f"`{file}`: a coding sheet is an Excel workbook; give it a name that ends with `.xlsx`.")
    if not file.parent.is_dir():
        raise SetupError(f"there is no folder `{file.parent}` (looked from {Path.cwd()}).")
    if file.exists() and not _is_empty_sheet(file, questionnaire):
        raise SetupError(
            f"`{file}` already exists, and is not an empty sheet of `{questionnaire.name}`; give another `path`."
        )
    workbook.write_workbook(file, questionnaire, items, coder=coder.strip(), corpus_hash=corpus.hash)
    return file


def _is_empty_sheet(file: Path, questionnaire: Questionnaire) -> bool:
    """Whether a file is a sheet of these criteria in which nobody has written anything."""
    facts = workbook.read_facts(file)
    if facts is None or tuple(facts.documents) != questionnaire.hashes:
        return False
    headers = [*(column.header for column in code_columns(questionnaire)), NOTES]
    return all(clean_cell(row.fields.get(name)) is None for row in workbook.read_codes(file) for name in headers)


def _file_word(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name).strip("-.")[:60] or "codes"
