"""Reliability data of one criterion: units x coders, one matrix per replicate."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...codebook.scales import Scale
from ...errors import SetupError, nearest
from ..coefficients import ReliabilityMatrix
from ..coefficients.arrays import FloatArray, IntArray
from .ratings_frame import scale_of, usable_rows

if TYPE_CHECKING:
    import pandas as pd

_CONTINUOUS = ("interval", "ratio")


@dataclass(frozen=True)
class ReliabilityData:
    """The data from which coefficients are computed.

    Parameters
    ----------
    codes
        One matrix of codes per replicate, of the same units and coders.
    coders, kinds
        The coder of each column, and its kind, `human` or another.
    clusters
        The cluster of each unit, as a number.
    non_blind
        The people who had seen instruments' answers.
    input_models
        For each instrument that reads others' answers (a synthesiser, a panel), those coders.
    """

    codes: tuple[ReliabilityMatrix, ...]
    coders: tuple[str, ...]
    kinds: tuple[str, ...]
    clusters: IntArray
    non_blind: frozenset[str]
    input_models: dict[str, frozenset[str]]

    def depends_on(self, coder: str) -> frozenset[str]:
        """A coder, and those whose answers it has read."""
        return self.input_models.get(coder, frozenset()) | {coder}

    @property
    def level(self) -> str:
        """The level of measurement."""
        return self.codes[0].level

    @property
    def replicates(self) -> int:
        """The number of replicates."""
        return len(self.codes)

    def codes_of(self, replicate: int, columns: Sequence[int]) -> ReliabilityMatrix:
        """The codes of some coders in one replicate."""
        codes = self.codes[replicate]
        return replace(codes, matrix=codes.matrix[:, list(columns)])


def reliability_data(part: pd.DataFrame, whole_group: pd.DataFrame) -> ReliabilityData:
    """The reliability data of one criterion; people first, each kind sorted by name.

    An instrument with fewer replicates than another (a deterministic one has a single one) takes part in every
    replicate: its own replicates are used in turn.

    Parameters
    ----------
    part
        Prepared ratings of the coders.
    whole_group
        The ratings whose records are the units. Records that none of the coders has coded are units too, so that they
        can be counted as excluded.
    """
    part = _add_numbers(part)
    rows = usable_rows(part)
    kinds = part.groupby("coder").kind.first()
    coders = sorted(kinds.index, key=lambda name: (kinds[name] != "human", name))
    records = whole_group.drop_duplicates("record_id")
    unit = {record: i for i, record in enumerate(records.record_id)}
    categories, values, sets, codes = _code_categories(rows, scale_of(part))
    n_replicates = part.groupby("coder").replicate.nunique()
    rank = part.groupby("coder").replicate.transform(lambda column: column.rank(method="dense") - 1).astype(int)
    row_unit = rows.record_id.map(unit).to_numpy()
    row_coder = rows.coder.map({name: i for i, name in enumerate(coders)}).to_numpy()
    row_rank = rank.loc[rows.index].to_numpy()
    matrices = []
    for replicate in range(int(n_replicates.max())):
        in_turn = rows.coder.map({name: replicate % int(n_replicates[name]) for name in coders}).to_numpy()
        used = row_rank == in_turn
        matrix = np.full((len(unit), len(coders)), -1, np.intp)
        matrix[row_unit[used], row_coder[used]] = codes[used]
        matrices.append(ReliabilityMatrix(matrix, _level_of(part), categories, values, sets))
    not_blind = part.groupby("coder").blind.agg(lambda column: bool((column == False).any()))  # noqa: E712  # NA is neither
    return ReliabilityData(
        codes=tuple(matrices),
        coders=tuple(coders),
        kinds=tuple(kinds[name] for name in coders),
        clusters=np.unique(records.resampling_unit.to_numpy(), return_inverse=True)[1],
        non_blind=frozenset(name for name in coders if kinds[name] == "human" and not_blind[name]),
        input_models=_input_coders(part),
    )


def _input_coders(part: pd.DataFrame) -> dict[str, frozenset[str]]:
    """For each coder that reads others' answers, the coders of the steps that it has read."""
    coders = part.drop_duplicates("coder")
    step_of = dict(zip(coders.coder, coders.judge, strict=True))
    result = {}
    for coder, input_models in zip(coders.coder, coders.input_models, strict=True):
        if isinstance(input_models, str) and input_models:
            steps = set(input_models.split(", "))
            result[coder] = frozenset(name for name, step in step_of.items() if step in steps)
    return result


def _add_numbers(part: pd.DataFrame) -> pd.DataFrame:
    """The ratings with numbers in `value` that were written as text in `category`, on a continuous scale."""
    import pandas as pd

    scale, criterion = scale_of(part), part.criterion.iloc[0]
    if scale is None or scale.level not in _CONTINUOUS:
        if (part.usable & part.category.isna()).any():
            raise SetupError(
                f"criterion `{criterion}` has numbers without categories; add a column `scale` that says what they "
                "are, such as `0..1`."
            )
        return part
    parsed = pd.to_numeric(part.category.where(part.usable), errors="coerce")
    frame = part.assign(value=part.value.astype(float).fillna(parsed.astype(float)))
    bad = frame[frame.usable & frame.value.isna()]
    if len(bad):
        raise SetupError(
            f"criterion `{criterion}`: the answer `{bad.category.iloc[0]}` of `{bad.coder.iloc[0]}` on record "
            f"`{bad.record_id.iloc[0]}` is not a number, and the scale is `{scale.shorthand}`."
        )
    return frame


def _parse_label_set(text: str, criterion: str) -> frozenset[str]:
    try:
        labels = json.loads(text)
    except ValueError:
        labels = None
    if not isinstance(labels, list):
        raise SetupError(f'criterion `{criterion}`: `{text}` is not a set of labels; write it as JSON, `["a", "b"]`.')
    return frozenset(map(str, labels))


def _level_of(part: pd.DataFrame) -> str:
    scale = scale_of(part)
    return scale.level if scale else "nominal"


def _code_categories(
    rows: pd.DataFrame, scale: Scale | None
) -> tuple[tuple[str, ...], FloatArray | None, tuple[frozenset[str], ...] | None, IntArray]:
    """The categories of a criterion, their numbers or labels, and the category of each row, as an index."""
    level = scale.level if scale else "nominal"
    if level in _CONTINUOUS:
        values, codes = np.unique(rows.value.to_numpy(float), return_inverse=True)
        return tuple(f"{value:g}" for value in values), values, None, codes
    declared = scale.answers if scale else ()
    observed = sorted(rows.category.unique())
    names = tuple(observed) if level == "set" or not declared else tuple(declared)
    for name in observed:
        if name not in names:
            criterion = rows.criterion.iloc[0]
            raise SetupError(
                f"criterion `{criterion}`: the answer `{name}` is not on its scale; {nearest(name, names)}"
            )
    index = {name: i for i, name in enumerate(names)}
    codes = rows.category.map(index).to_numpy(np.intp)
    if level == "set":
        return names, None, tuple(_parse_label_set(name, rows.criterion.iloc[0]) for name in names), codes
    return names, _category_numbers(names) if level == "ordinal" else None, None, codes


def _category_numbers(names: Sequence[str]) -> FloatArray:
    """The categories as numbers if they are ascending numbers, else their ranks."""
    try:
        numbers = np.array([float(name) for name in names])
    except ValueError:
        return np.arange(len(names), dtype=np.float64)
    return numbers if (np.diff(numbers) > 0).all() else np.arange(len(names), dtype=np.float64)
