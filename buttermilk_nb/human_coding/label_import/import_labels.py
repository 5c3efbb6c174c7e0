"""Labels from files: everything is checked before anything is written.

A code that cannot be used (an id that the corpus does not have, an answer that is not on the scale) is left out and
listed, as a row of a corpus is. A code that says otherwise than an earlier one of the same coder stops the whole
import, until the caller says which of them counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from ...codebook.criteria import Criteria
from ...corpus.corpus import Corpus, require_corpus
from ...errors import SetupError, nearest
from ...project.project import Project
from ...project.session import current
from ..labels import keep_labels
from ..worklist import Item, worklist
from .checks import CodeChecker, known_codes
from .layouts import LAYOUTS, OUTSIDE, Columns, ImportOptions, Layout, RawCode, codes_in
from .result import ImportedLabels
from .tables import tables_of

OnClash = Literal["report", "keep", "replace"]
_ON_CLASH = ("report", "keep", "replace")


def import_labels(
    source: Any,
    corpus: Corpus,
    criteria: Criteria,
    *,
    coder: str | None = None,
    layout: Layout = "auto",
    record_id: str = "record_id",
    columns: Columns | None = None,
    values: Mapping[Any, Any] | None = None,
    sample: Any = None,
    round: str = "1",  # noqa: A002  # the column's name
    preview: bool = False,
    on_clash: OnClash = "report",
    project: Project | None = None,
) -> ImportedLabels:
    """Take codes of people from spreadsheets, CSV files, zips of these, or dataframes.

    The same file may be imported again: what is in the project already is not written twice.

    Parameters
    ----------
    source
        A path of a `.csv`, `.xlsx` or `.zip`, a dataframe, or a list of these.
    corpus
        The records that were coded.
    criteria
        The criteria that they were coded by, in the wording that the coders had.
    coder
        Who coded, where the file does not say it.
    layout
        `sheet` is a file of `coding_sheet`; `long` has a row per code, with the columns record_id, coder, criterion,
        category (and notes); `wide` has a column per coder, or, where `coder` is given, per criterion. `auto` finds
        out.
    record_id
        The column with the ids of the records.
    columns
        Of a wide table, the columns with codes: a list of them, which are the coders' names, or a mapping
        `{"kf": "kf_column"}` or `{"kf": {"respect": "kf_respect"}}`; by default all but the ids, `text` and `notes`.
        Of a long table, what its columns are called: `{"coder": "annotator", "category": "code"}`.
    values
        What codes mean, where they are not in the words of the scale: `{"1": "yes", "0": "no"}`.
    sample
        The sample that was coded, as `sample` and `assign` give it: each code keeps the probability with which its
        record was drawn, and a code of a record outside the sample is not taken. A file of `coding_sheet` says it
        itself.
    round
        Which round of coding it was.
    preview
        Only look; nothing is written.
    on_clash
        Where a coder has coded the same otherwise: `report` writes nothing and lists them, `keep` leaves the earlier
        code, `replace` lets the later one follow it.
    project
        The project; by default the open one.

    Returns
    -------
    Imported
        What was found: counts, `rejected`, `clashes`.

    Raises
    ------
    SetupError
        A file cannot be read, a column is missing, or a sheet was made for another wording of the criteria.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> from buttermilk_nb.project.session import init
    >>> from buttermilk_nb.corpus.record import Record
    >>> _ = init("import-example", path=tempfile.mkdtemp())
    >>> corpus = Corpus([Record(record_id="a", content="They are vermin."), Record(record_id="b", content="Hello.")])
    >>> codes = pd.DataFrame({"record_id": ["a", "b"], "kf": ["no", "yes"], "ab": ["no", None]})
    >>> import_labels(codes, corpus, Criteria("respect", "Is it respectful?"))
    Imported:
      3 codes of 2 coders (ab, kf) on respect, 2 records; 1 place without a code
    """
    require_corpus(corpus, "`import_labels`")
    if layout not in LAYOUTS:
        raise SetupError(f"layout={layout!r} is none of {', '.join(LAYOUTS)}; {nearest(str(layout), LAYOUTS)}")
    if on_clash not in _ON_CLASH:
        raise SetupError(f"on_clash={on_clash!r} is none of {', '.join(_ON_CLASH)}.")
    meant = {str(key): value for key, value in (values or {}).items()}
    asked = ImportOptions(criteria, coder, layout, record_id, columns, meant)
    opened = project or current()
    codes = [code for table in tables_of(source) for code in codes_in(table, asked)]
    if sample is not None:
        codes = _of_sample(codes, corpus, sample)
    found = CodeChecker(corpus, criteria, round, known_codes(opened, corpus, criteria, round))
    for code in codes:
        found.add(code)
    new = found.new(replacing=on_clash == "replace")
    why_not = "preview: nothing was written" if preview else ""
    if not preview and found.clashes and on_clash == "report":
        why_not = 'nothing was written, because of the clashes: say on_clash="keep" or on_clash="replace"'
    if not why_not:
        ids = {label.record_id for label in new}
        keep_labels(opened, new, records=[r for r in corpus if r.record_id in ids], criteria=criteria)
    return found.summary(len(new), why_not)


def _of_sample(codes: list[RawCode], corpus: Corpus, sample: Any) -> list[RawCode]:
    """The codes with what is known of how their records were drawn; those of other records have a problem."""
    drawn: dict[str, dict[str, Item]] = {}
    found = []
    for code in codes:
        if code.coder not in drawn:
            items = worklist(corpus, code.coder, order="corpus", sample=sample)
            drawn[code.coder] = {item.record.record_id: item for item in items}
        item = drawn[code.coder].get(code.record_id)
        if item is None:
            found.append(code if code.problem else code._replace(problem=OUTSIDE))
        else:
            found.append(code._replace(sample_id=item.sample_id, inclusion_p=item.inclusion_p))
    return found
