"""Who is a judge and who a person, and their codes.

A frame of one's own may not say of what kind a coder is, so a coder who is named as a judge is one. `truth` is the
expert code that came with the data, and neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...errors import SetupError, nearest
from ..frames.ratings import TRUTH
from .ratings_frame import modal_ratings
from .reliability_data import ReliabilityData, reliability_data

if TYPE_CHECKING:
    import pandas as pd


def judge_names(part: pd.DataFrame, judges: Sequence[str] | None) -> list[str]:
    """The judges that are meant, in the order of their names.

    Raises
    ------
    SetupError
        A name is unknown, or there is no judge.
    """
    if judges is None:
        found = sorted(part.coder[part.kind != "human"].unique())
        if not found:
            raise SetupError(
                f"criterion `{part.criterion.iloc[0]}`: no coder is of kind `instrument`, so nothing says who the "
                'judge is; name them: judges=["..."].'
            )
        return found
    _check(part, judges, "judges")
    return sorted(set(judges))


def human_coders(part: pd.DataFrame, judges: Sequence[str] | None, coders: Sequence[str] | None) -> list[str]:
    """The people who are meant: those named, or everybody who has not seen the judges' answers.

    Raises
    ------
    SetupError
        A name is unknown, or is that of a judge.
    """
    named = judge_names(part, judges)
    if coders is None:
        everybody = sorted(part.coder[part.kind == "human"].unique())
        seen = non_blind_coders(part)
        return [name for name in everybody if name not in {TRUTH, *named} and name not in seen]
    _check(part, coders, "coders")
    instruments = set(part.coder[part.kind != "human"]) | set(named)
    for name in coders:
        if name in instruments:
            raise SetupError(f"coders: `{name}` is a judge; coders are the people that a judge is compared with.")
    return sorted(set(coders))


def non_blind_coders(part: pd.DataFrame) -> frozenset[str]:
    """The people who have seen instruments' answers."""
    not_blind = (part.blind == False) & (part.kind == "human")  # noqa: E712  # NA is neither
    return frozenset(part.coder[not_blind.fillna(value=False).astype(bool)])


def coder_codes(
    part: pd.DataFrame, coders: Sequence[str], *, modal: bool = False
) -> tuple[ReliabilityData, dict[str, int]]:
    """The codes of some coders on all records of the part, and the column of each.

    Parameters
    ----------
    part
        One group of a checked frame.
    coders
        Judges and people, by name.
    mode
        Whether the replicates are taken together first: the answer that most of them gave.

    Raises
    ------
    SetupError
        Answers are numbers, and nothing says on which scale; or are no numbers where the scale asks for them.
    """
    ordered = part.sort_values(["record_id", "coder", "replicate"], kind="stable", ignore_index=True)
    chosen = ordered[ordered.coder.isin(list(coders))]
    chosen = chosen.assign(who=chosen.coder)
    if modal:
        chosen = modal_ratings(chosen)
    data = reliability_data(chosen, ordered)
    shown = dict(zip(chosen.who, chosen.coder, strict=True))
    return data, {name: data.coders.index(shown[name]) for name in coders}


def _check(part: pd.DataFrame, names: Sequence[str], what: str) -> None:
    known = [name for name in sorted(part.coder.unique()) if name != TRUTH]
    if isinstance(names, str):
        raise SetupError(f'`{what}` is several names: write {what}=["{names}"].')
    for name in names:
        if name == TRUTH:
            raise SetupError(
                f"{what}: `{TRUTH}` is the code that came with the data, and not a coder here; leave it out."
            )
        if name not in known:
            raise SetupError(
                f"{what}: criterion `{part.criterion.iloc[0]}` has no coder `{name}`; {nearest(name, known)}"
            )
