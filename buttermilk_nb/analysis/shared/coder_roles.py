"""Which coders are judges and which are people, and their codes.

A frame of one's own may not say the kind of a coder, so a coder named as a judge counts as a judge. `truth` is the
expert code that came with the data, and is neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...errors import SetupError, nearest
from ..frames.human_codes import TRUTH
from .modes import modal_ratings
from .reliability_data import ReliabilityData, reliability_data

if TYPE_CHECKING:
    import pandas as pd


def judge_names(part: pd.DataFrame, judges: Sequence[str] | None) -> list[str]:
    """The judges, sorted by name: those named, or all coders of kind `instrument`.

    Raises
    ------
    SetupError
        A name is unknown, or there is no judge.
    """
    if judges is None:
        instruments = sorted(part.coder[part.kind != "human"].unique())
        if not instruments:
            raise SetupError(
                f"criterion `{part.criterion.iloc[0]}`: no coder is of kind `instrument`, so it is not known who the "
                'judge is; name the judges: judges=["..."].'
            )
        return instruments
    _check_names(part, judges, "judges")
    return sorted(set(judges))


def human_coders(part: pd.DataFrame, judges: Sequence[str] | None, coders: Sequence[str] | None) -> list[str]:
    """The people, sorted by name: those named, or everybody who has not seen the judges' answers.

    Raises
    ------
    SetupError
        A name is unknown, or is the name of a judge.
    """
    named_judges = judge_names(part, judges)
    if coders is None:
        everybody = sorted(part.coder[part.kind == "human"].unique())
        non_blind = non_blind_coders(part)
        return [name for name in everybody if name not in {TRUTH, *named_judges} and name not in non_blind]
    _check_names(part, coders, "coders")
    instruments = set(part.coder[part.kind != "human"]) | set(named_judges)
    for name in coders:
        if name in instruments:
            raise SetupError(f"coders: `{name}` is a judge; coders are the people with whom a judge is compared.")
    return sorted(set(coders))


def non_blind_coders(part: pd.DataFrame) -> frozenset[str]:
    """The people who have seen instruments' answers."""
    not_blind = (part.blind == False) & (part.kind == "human")  # noqa: E712  # NA is neither
    return frozenset(part.coder[not_blind.fillna(value=False).astype(bool)])


def coder_codes(
    part: pd.DataFrame, coders: Sequence[str], *, modal: bool = False
) -> tuple[ReliabilityData, dict[str, int]]:
    """The codes of some coders on all records of a group, and the column of each coder.

    Parameters
    ----------
    part
        One group of prepared ratings.
    coders
        Judges and people, by name.
    modal
        Whether to reduce the replicates to the modal answer first.

    Raises
    ------
    SetupError
        Answers are numbers without a scale; or answers are not numbers although the scale requires them.
    """
    ordered = part.sort_values(["record_id", "coder", "replicate"], kind="stable", ignore_index=True)
    selected = ordered[ordered.coder.isin(list(coders))]
    selected = selected.assign(original_name=selected.coder)
    if modal:
        selected = modal_ratings(selected)
    data = reliability_data(selected, ordered)
    new_names = dict(zip(selected.original_name, selected.coder, strict=True))
    return data, {name: data.coders.index(new_names[name]) for name in coders}


def _check_names(part: pd.DataFrame, names: Sequence[str], parameter: str) -> None:
    coders = [name for name in sorted(part.coder.unique()) if name != TRUTH]
    if isinstance(names, str):
        raise SetupError(f'`{parameter}` takes several names: write {parameter}=["{names}"].')
    for name in names:
        if name == TRUTH:
            raise SetupError(
                f"{parameter}: `{TRUTH}` is the code that came with the data, and not a coder here; leave it out."
            )
        if name not in coders:
            raise SetupError(
                f"{parameter}: criterion `{part.criterion.iloc[0]}` has no coder `{name}`; {nearest(name, coders)}"
            )
