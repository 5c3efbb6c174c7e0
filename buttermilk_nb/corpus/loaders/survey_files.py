"""Files of statistics programs: SPSS (`.sav`, `.zsav`, `.por`), Stata (`.dta`), SAS (`.sas7bdat`, `.xpt`), R (`.rds`).

A value that has a label is read as its label, and a value that the file declares as missing is missing. The questions
that belong to the columns are in the provenance.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..._internal.markdown import code_list
from ...errors import SetupError
from .dataframes import read_dataframe
from .documents.document import import_parser
from .source import Source, existing_path, file_facts

if TYPE_CHECKING:
    import pandas as pd

_READERS = {
    ".sav": ("read_sav", True), ".zsav": ("read_sav", True), ".por": ("read_por", True), ".dta": ("read_dta", True),
    ".sas7bdat": ("read_sas7bdat", False), ".xpt": ("read_xport", False),
}  # fmt: skip
"""For each ending the function of pyreadstat, and whether the format has labels of values."""


def read(path: str | Path, *, encoding: str | None = None, labels: bool = True, missing: bool = False) -> Source:
    """Read a file of SPSS, Stata or SAS.

    Parameters
    ----------
    path
        The file.
    encoding
        The encoding of its texts, if the file names none or a wrong one.
    labels
        Whether values are read as their labels (`male`), or as the numbers behind them (`1`).
    missing
        Whether values that the file declares as missing (`not applicable`) are read too.

    Raises
    ------
    SetupError
        It does not exist, is damaged, or pyreadstat is not installed.
    """
    file = existing_path(path)
    pyreadstat, parser = import_parser("pyreadstat", "pyreadstat", file.name)
    function, has_labels = _READERS[file.suffix.lower()]
    options: dict[str, Any] = {"apply_value_formats": labels, "formats_as_category": False} if has_labels else {}
    if missing and has_labels:
        options["user_missing"] = True
    if encoding:
        options["encoding"] = encoding
    try:
        frame, facts = getattr(pyreadstat, function)(file, **options)
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, ValueError, OSError, TypeError) as error:
        raise SetupError(f"`{file.name}` cannot be read: {str(error).strip().rstrip('.').lower()}.") from error
    questions = {name: label for name, label in facts.column_names_to_labels.items() if label}
    labelled = [name for name in facts.variable_value_labels if name in frame.columns]
    remarks = []
    if labelled and labels:
        shown = f"{code_list(labelled[:5])}{' and others' if len(labelled) > 5 else ''}"
        remarks.append(
            f"`{file.name}`: the values of {shown} were read as their labels; labels=False reads the numbers."
        )
    return _source(frame, file, parser, {"questions": questions} if questions else {}, remarks)


def read_r(path: str | Path, *, at: str | None = None) -> Source:
    """Read a data frame that R has saved. `at` is its name in an `.RData` file with several.

    Raises
    ------
    SetupError
        The file does not exist, is damaged, has no data frame or several, or rdata is not installed.
    """
    import pandas as pd

    file = existing_path(path)
    rdata, parser = import_parser("rdata", "rdata", file.name)
    is_single = file.suffix.lower() == ".rds"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on classes of R that have no like in Python, in columns that are not read
            content = rdata.read_rds(file) if is_single else rdata.read_rda(file)
    except Exception as error:  # a damaged file can make rdata fail in any way
        raise SetupError(f"`{file.name}` cannot be read as a file of R: it is damaged, or something else.") from error
    objects = {file.stem: content} if is_single else dict(content)
    frames = {name: value for name, value in objects.items() if isinstance(value, pd.DataFrame)}
    if at is not None and at not in frames:
        raise SetupError(f"`{file.name}` has no data frame `{at}`; there are {code_list(frames) or 'none'}.")
    if at is None and len(frames) != 1:
        what = f"several data frames; write at= and one of {code_list(frames)}" if frames else "no data frame"
        raise SetupError(f"`{file.name}` has {what}.")
    return _source(frames[at or next(iter(frames))], file, parser, {}, [])


def _source(frame: pd.DataFrame, file: Path, parser: str, facts: dict[str, Any], remarks: list[str]) -> Source:
    source = read_dataframe(frame.convert_dtypes())  # whole numbers as such, which these formats keep as decimal ones
    description = {**file_facts(file), "parser": parser, **facts}
    return replace(source, description=description, folder=file.parent, remarks=tuple(remarks))
