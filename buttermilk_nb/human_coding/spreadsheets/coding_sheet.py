"""Coding without a notebook: a workbook to fill in, which `import_labels` reads back."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ...codebook.criteria import Criteria
from ...corpus.corpus import Corpus
from ...errors import SetupError
from ..worklist import Order, worklist
from . import workbook
from .columns import NOTES, code_columns, plain


def coding_sheet(
    corpus: Corpus,
    criteria: Criteria,
    *,
    coder: str,
    path: str | Path | None = None,
    sample: Any = None,
    order: Order = "shuffled",
    seed: int | None = None,
) -> Path:
    """Write an Excel workbook for one coder: a row for each text, a drop-down for each question.

    The second sheet is the codebook. There are no answers in it: neither those of models nor the expert's nor those
    of other coders. Where a question has several labels, each has a column of its own.

    Parameters
    ----------
    corpus
        The records.
    criteria
        The questions.
    coder
        Who codes.
    path
        The file; by default `coding-<criteria>-<coder>.xlsx` in the working folder. A sheet in which something is
        filled in is never written over.
    sample
        Which records: a list of ids, a number for the first so many of the order, or a frame that `assign` or
        `sample` made. By default all.
    order
        `shuffled`, in an order that belongs to this coder, or as in the `corpus`.
    seed
        Gives coders with the same seed the same order.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    SetupError
        The file cannot be written or has been filled in already, or there is nothing to code.

    Examples
    --------
    >>> import tempfile
    >>> from buttermilk_nb.corpus.record import Record
    >>> corpus = Corpus([Record(record_id="a", content="They are vermin.")])
    >>> respect = Criteria("respect", "Is it respectful?")
    >>> coding_sheet(corpus, respect, coder="kf", path=Path(tempfile.mkdtemp()) / "kf.xlsx").name
    'kf.xlsx'
    """
    if not coder.strip():
        raise SetupError('a coding sheet belongs to somebody; write coder="kf", or any other short name.')
    items = worklist(corpus, coder.strip(), order=order, seed=seed, sample=sample)
    file = Path(path).expanduser() if path else Path(f"coding-{_word(criteria.name)}-{_word(coder)}.xlsx")
    if file.suffix.lower() != ".xlsx":
        raise SetupError(f"`{file}`: a coding sheet is an Excel workbook; let its name end with `.xlsx`.")
    if not file.parent.is_dir():
        raise SetupError(f"there is no folder `{file.parent}` (looked from {Path.cwd()}).")
    if file.exists() and not _untouched(file, criteria):
        raise SetupError(f"`{file}` is there already, and not an empty sheet of `{criteria.name}`; give another path.")
    workbook.write(file, criteria, items, coder=coder.strip(), corpus_hash=corpus.hash)
    return file


def _untouched(file: Path, criteria: Criteria) -> bool:
    """Whether a file is a sheet of these criteria in which nobody has written anything."""
    facts = workbook.read_facts(file)
    if facts is None or facts.criteria_hash != criteria.criteria_hash:
        return False
    filled = [*(column.header for column in code_columns(criteria)), NOTES]
    return all(plain(row.fields.get(name)) is None for row in workbook.read_codes(file) for name in filled)


def _word(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "codes"
