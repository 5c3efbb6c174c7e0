"""Check the names of coders and records in a frame: that people are told apart, and that their records are the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...corpus.match_ids import match_ids
from ...errors import SetupError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

_FEWEST = 2
"""The ids of one coder that must be rewritten by one rule before that counts as a mistake."""


def check_names(frame: pd.DataFrame) -> pd.DataFrame:
    """The ratings with names of coders and records without blanks at their ends.

    Parameters
    ----------
    frame
        Ratings with `record_id` and `coder`.

    Raises
    ------
    SetupError
        Two coders differ only in case, or the ids of one coder are those of the others as a program has rewritten them.
    """
    import pandas as pd

    codes = {}
    for column in ("coder", "record_id"):
        codes[column], names = pd.factorize(frame[column].astype(object))
        plain = [str(name).strip() for name in names]
        if plain != list(names):
            frame = frame.assign(**{column: np.array(plain, object)[codes[column]]})
            codes[column], names = pd.factorize(frame[column].astype(object))
        if column == "coder":
            coders = list(map(str, names))
            _check_case(coders)
    if len(coders) > 1:
        _check_ids(codes["coder"], codes["record_id"], coders, list(map(str, names)))
    return frame


def _check_case(coders: list[str]) -> None:
    by_case: dict[str, str] = {}
    for coder in coders:
        if (other := by_case.setdefault(coder.casefold(), coder)) != coder:
            raise SetupError(
                f"the coders `{other}` and `{coder}` differ only in case. If they are one person, write "
                f"ratings.replace({{'coder': {{{coder!r}: {other!r}}}}}); if they are two, give one another name."
            )


def _check_ids(
    coder_codes: NDArray[np.intp], id_codes: NDArray[np.intp], coders: list[str], record_ids: list[str]
) -> None:
    """Check the ids that only one coder has; the codes are places in the lists of names."""
    pairs = np.unique(coder_codes * len(record_ids) + id_codes)
    pair_coders, pair_ids = pairs // len(record_ids), pairs % len(record_ids)
    n_coders = np.bincount(pair_ids, minlength=len(record_ids))
    if not (n_coders == 1).any():
        return
    for code, coder in enumerate(coders):
        own = pair_ids[pair_coders == code]
        lonely = own[n_coders[own] == 1]
        if len(lonely) < _FEWEST:
            continue
        others = np.setdiff1d(np.arange(len(record_ids)), own)
        match = match_ids({record_ids[n] for n in lonely}, {record_ids[n] for n in others})
        if match:
            written, known = next(iter(match.known_ids.items()))
            raise SetupError(
                f"{len(lonely):,} records of coder `{coder}` have ids that no other coder has, such as `{written}`, "
                f"and that are ids of others if read {match.rule} (`{known}`), so a program has probably rewritten "
                "them. Read the ids as text (dtype=str), or rename one of them if they are other records."
            )
