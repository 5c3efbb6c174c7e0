"""From ratings of one criterion to reliability data: units x coders, once per replicate."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...errors import SetupError, nearest
from ..coefficients import ReliabilityMatrix
from .ratings_frame import scale_of, usable_rows

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ReliabilityData:
    """What the coefficients are computed from.

    Parameters
    ----------
    codes
        One table of codes per replicate, of the same units and coders.
    coders, kinds
        The coders in the order of the columns, and which of them are people.
    clusters
        The cluster of each unit, as a number.
    seen
        The coders who were not blind to the instruments' answers.
    input_models
        For each instrument that reads others (a synthesiser, a panel) the coders that it rests on.
    """

    codes: tuple[ReliabilityMatrix, ...]
    coders: tuple[str, ...]
    kinds: tuple[str, ...]
    clusters: NDArray[np.intp]
    non_blind: frozenset[str]
    input_models: dict[str, frozenset[str]]

    def depends_on(self, coder: str) -> frozenset[str]:
        """A coder, with those whose answers it has read."""
        return self.input_models.get(coder, frozenset()) | {coder}

    @property
    def level(self) -> str:
        """The level of measurement."""
        return self.codes[0].level

    @property
    def replicates(self) -> int:
        """How many replicates there are."""
        return len(self.codes)

    def codes_of(self, replicate: int, places: Sequence[int]) -> ReliabilityMatrix:
        """The codes of some coders in one replicate."""
        codes = self.codes[replicate]
        return replace(codes, matrix=codes.matrix[:, list(places)])


def reliability_data(part: pd.DataFrame, whole_group: pd.DataFrame) -> ReliabilityData:
    """The reliability data of one criterion; people first, each in the order of their names.

    The units are the records of `every`, also those that none of these coders has coded: they are left out, and
    counted.

    An instrument with fewer replicates than another (a deterministic one has a single one) stands in each of them
    with its own in turn.
    """
    part = _add_numbers(part)
    given = usable_rows(part)
    kinds = part.groupby("coder").kind.first()
    coders = sorted(kinds.index, key=lambda name: (kinds[name] != "human", name))
    records = whole_group.drop_duplicates("record_id")
    unit = {record: place for place, record in enumerate(records.record_id)}
    categories, values, sets, codes = _code_categories(given, scale_of(part))
    repeats = part.groupby("coder").replicate.nunique()
    n = int(repeats.max())
    order = part.groupby("coder").replicate.transform(lambda column: column.rank(method="dense") - 1).astype(int)
    rows = given.record_id.map(unit).to_numpy()
    columns = given.coder.map({name: place for place, name in enumerate(coders)}).to_numpy()
    turn = order.loc[given.index].to_numpy()
    tables = []
    for replicate in range(n):
        own = given.coder.map({name: replicate % int(repeats[name]) for name in coders}).to_numpy()
        now = turn == own
        matrix = np.full((len(unit), len(coders)), -1, np.intp)
        matrix[rows[now], columns[now]] = codes[now]
        tables.append(ReliabilityMatrix(matrix, _level_of(part), categories, values, sets))
    _, clusters = np.unique(records.kin.to_numpy(), return_inverse=True)
    blind = part.groupby("coder").blind.agg(lambda column: bool((column == False).any()))  # noqa: E712  # NA is neither
    seen = frozenset(name for name in coders if kinds[name] == "human" and blind[name])
    return ReliabilityData(
        tuple(tables), tuple(coders), tuple(kinds[c] for c in coders), clusters, seen, _input_coders(part)
    )


def _input_coders(part: pd.DataFrame) -> dict[str, frozenset[str]]:
    """Who rests on whom, by the steps that each has read."""
    coders = part.drop_duplicates("coder")
    steps = dict(zip(coders.coder, coders.judge, strict=True))
    found = {}
    for coder, read in zip(coders.coder, coders.input_models, strict=True):
        if isinstance(read, str) and read:
            below = set(read.split(", "))
            found[coder] = frozenset(name for name, step in steps.items() if step in below)
    return found


def _add_numbers(part: pd.DataFrame) -> pd.DataFrame:
    """Numbers of a continuous scale may stand as text in `category`."""
    import pandas as pd

    scale, name = scale_of(part), part.criterion.iloc[0]
    if scale is None or scale.level not in ("interval", "ratio"):
        if (part.usable & part.category.isna()).any():
            raise SetupError(
                f"criterion `{name}` has numbers without categories; say in a column `scale` what they are, such as "
                "`0..1`."
            )
        return part
    written = pd.to_numeric(part.category.where(part.usable), errors="coerce")
    found = part.assign(value=part.value.astype(float).fillna(written.astype(float)))
    bad = found[found.usable & found.value.isna()]
    if len(bad):
        raise SetupError(
            f"criterion `{name}`: the answer `{bad.category.iloc[0]}` of `{bad.coder.iloc[0]}` on record "
            f"`{bad.record_id.iloc[0]}` is not a number, and the scale is `{scale.shorthand}`."
        )
    return found


def _parse_label_set(name: str, criterion: str) -> frozenset[str]:
    try:
        found = json.loads(name)
    except ValueError:
        found = None
    if not isinstance(found, list):
        raise SetupError(f'criterion `{criterion}`: `{name}` is no set of labels; write it as JSON, `["a", "b"]`.')
    return frozenset(map(str, found))


def _level_of(part: pd.DataFrame) -> str:
    scale = scale_of(part)
    return scale.level if scale else "nominal"


def _code_categories(
    given: pd.DataFrame, scale: object
) -> tuple[tuple[str, ...], NDArray[np.float64] | None, tuple[frozenset[str], ...] | None, NDArray[np.intp]]:
    """The categories of a criterion, their numbers or labels, and for each row which it is."""
    level = getattr(scale, "level", "nominal")
    if level in ("interval", "ratio"):
        values, codes = np.unique(given.value.to_numpy(float), return_inverse=True)
        return tuple(f"{value:g}" for value in values), values, None, codes
    offered: tuple[str, ...] = getattr(scale, "answers", ())
    observed = sorted(given.category.unique())
    names = tuple(observed) if level == "set" or not offered else tuple(offered)
    for name in observed:
        if name not in names:
            asked = given.criterion.iloc[0]
            raise SetupError(f"criterion `{asked}`: the answer `{name}` is not on its scale; {nearest(name, names)}")
    place = {name: i for i, name in enumerate(names)}
    codes = given.category.map(place).to_numpy(np.intp)
    if level == "set":
        return names, None, tuple(_parse_label_set(name, given.criterion.iloc[0]) for name in names), codes
    return names, _category_numbers(names) if level == "ordinal" else None, None, codes


def _category_numbers(names: Sequence[str]) -> NDArray[np.float64]:
    """The declared numbers where the categories are numbers, else their ranks."""
    try:
        found = np.array([float(name) for name in names])
    except ValueError:
        return np.arange(len(names), dtype=np.float64)
    return found if (np.diff(found) > 0).all() else np.arange(len(names), dtype=np.float64)
