"""The records on which coders disagree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._internal.arguments import check_arguments
from ..analysis.frames.human_codes import ADJUDICATED
from ..analysis.shared.modes import modal_ratings
from ..analysis.shared.ratings_frame import prepare_ratings, usable_rows
from ..analysis.shared.ratings_groups import ratings_groups
from ..errors import SetupError, nearest

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("criteria_set", "criterion", "criteria_hash", "record_id", "n_coders", "n_answers", "answers", "mode_share")


@check_arguments
def disagreements(ratings: pd.DataFrame, criterion: str | None = None) -> pd.DataFrame:
    """The records on which coders gave different answers, the most contested first.

    People and instruments count alike, each once. If a coder answered several times, the most frequent answer counts;
    if two answers are equally frequent, none counts. Non-answers and decisions of an adjudication are not counted.

    Parameters
    ----------
    ratings
        The frame of `ratings`, or your own frame with record_id, criterion, coder and category.
    criterion
        Only this criterion. By default, all.

    Returns
    -------
    pandas.DataFrame
        One row per record and criterion: criteria_set, criterion, criteria_hash, record_id, n_coders (the number of
        coders who answered), n_answers (the number of different answers), answers (each answer with the number of
        coders who gave it) and mode_share (the share of the coders who gave the most frequent answer).

    Raises
    ------
    SetupError
        A column is missing, or the ratings do not have the criterion.

    Examples
    --------
    >>> import pandas as pd
    >>> codes = [("a", "ana", "yes"), ("a", "ben", "no"), ("a", "eva", "no"), ("b", "ana", "yes"), ("b", "ben", "yes")]
    >>> frame = pd.DataFrame(codes, columns=["record_id", "coder", "category"]).assign(criterion="respect")
    >>> disagreements(frame)[["record_id", "n_coders", "answers", "mode_share"]].values.tolist()
    [['a', 3, 'no 2, yes 1', 0.6666666666666666]]
    """
    import pandas as pd

    frame = prepare_ratings(ratings)
    if criterion is not None:
        names = list(dict.fromkeys(frame.criterion))
        if criterion not in names:
            raise SetupError(f"the ratings have no criterion `{criterion}`; {nearest(criterion, names)}")
        frame = frame[frame.criterion == criterion]
    frame = frame[~frame.coder.astype(str).str.endswith(ADJUDICATED)]
    keys = ["criteria_set", "criterion", "criteria_hash"]
    parts = [
        _split_records(usable_rows(modal_ratings(criterion_ratings))).assign(**key)
        for key, criterion_ratings in ratings_groups(frame, keys)
    ]
    table = pd.concat(parts, ignore_index=True)[list(COLUMNS)] if parts else pd.DataFrame(columns=list(COLUMNS))
    return table.sort_values([*keys, "mode_share"], kind="stable", ignore_index=True)


def _split_records(votes: pd.DataFrame) -> pd.DataFrame:
    """The records with different answers, in order: numbers of votes and of answers, answers with votes, mode share."""
    numbers = votes.value.map("{:g}".format) if votes.category.isna().any() else votes.category
    answers = votes.assign(answer=votes.category.astype(object).where(votes.category.notna(), numbers))
    counts = answers.groupby(["record_id", "answer"], sort=True).size().rename("n").reset_index()
    counts = counts[counts.record_id.duplicated(keep=False)]
    counts = counts.sort_values(["record_id", "n"], ascending=[True, False], kind="stable")
    by_record = counts.assign(text=counts.answer.astype(str) + " " + counts.n.astype(str)).groupby("record_id")
    table = by_record.agg(
        n_coders=("n", "sum"), n_answers=("n", "size"), answers=("text", ", ".join), most=("n", "max")
    )
    return table.assign(mode_share=table.most / table.n_coders).reset_index()
