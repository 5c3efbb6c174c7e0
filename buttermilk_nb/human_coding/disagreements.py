"""Which records coders disagree on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..analysis.frames.human_codes import ADJUDICATED
from ..analysis.shared.modes import modal_ratings
from ..analysis.shared.ratings_frame import prepare_ratings, usable_rows
from ..analysis.shared.ratings_groups import ratings_groups
from ..errors import SetupError, nearest

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("criteria_set", "criterion", "criteria_hash", "record_id", "n_coders", "n_answers", "answers", "mode_share")


def disagreements(ratings: pd.DataFrame, criterion: str | None = None) -> pd.DataFrame:
    """The records on which coders gave different answers, the most contested first.

    People and instruments count alike, each once: where one was asked several times, the answer that it gave most
    often counts, and none where two were as frequent. Non-answers are no disagreement, and decisions of an adjudication
    are no codes.

    Parameters
    ----------
    ratings
        What `ratings` gives, or a frame of your own with record_id, criterion, coder and category.
    criterion
        Only this one; None takes all.

    Returns
    -------
    pandas.DataFrame
        One row per record and criterion: criteria_set, criterion, criteria_hash, record_id, n_coders (who answered),
        n_answers (how many different answers), answers (each with how many gave it) and mode_share (the share of
        the coders who gave the most frequent one).

    Raises
    ------
    SetupError
        A column is missing, or there is no such criterion.

    Examples
    --------
    >>> import pandas as pd
    >>> codes = [("a", "ana", "yes"), ("a", "ben", "no"), ("a", "eva", "no"), ("b", "ana", "yes"), ("b", "ben", "yes")]
    >>> frame = pd.DataFrame(codes, columns=["record_id", "coder", "category"]).assign(criterion="respect")
    >>> disagreements(frame)[["record_id", "n_coders", "answers", "mode_share"]].values.tolist()
    [['a', 3, 'no 2, yes 1', 0.6666666666666666]]
    """
    import pandas as pd

    found = prepare_ratings(ratings)
    if criterion is not None:
        names = list(dict.fromkeys(found.criterion))
        if criterion not in names:
            raise SetupError(f"the ratings have no criterion `{criterion}`; {nearest(criterion, names)}")
        found = found[found.criterion == criterion]
    found = found[~found.coder.astype(str).str.endswith(ADJUDICATED)]
    keys = ["criteria_set", "criterion", "criteria_hash"]
    rows = [
        (*key.values(), record_id, *summary)
        for key, part in ratings_groups(found, keys)
        for record_id, given in usable_rows(modal_ratings(part)).groupby("record_id", sort=True)
        if (summary := _summary(given)) and summary[1] > 1
    ]
    made = pd.DataFrame(rows, columns=list(COLUMNS))
    return made.sort_values(
        ["criteria_set", "criterion", "criteria_hash", "mode_share"], kind="stable", ignore_index=True
    )


def _summary(given: pd.DataFrame) -> tuple[int, int, str, float]:
    said = given.category.astype(object).where(given.category.notna(), given.value.map("{:g}".format))
    counts = said.value_counts().sort_index(kind="stable").sort_values(ascending=False, kind="stable")
    shown = ", ".join(f"{answer} {n}" for answer, n in counts.items())
    return len(given), len(counts), shown, float(counts.iloc[0] / len(given))
