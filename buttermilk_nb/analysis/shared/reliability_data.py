"""Reliability data of one criterion: units x coders, one matrix per replicate."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...codebook.scales import Scale
from ...errors import SetupError
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
    _check_numbers(part)
    rows = usable_rows(part)
    kinds = part.groupby("coder").kind.first()
    coders = sorted(kinds.index, key=lambda name: (kinds[name] != "human", name))
    records = whole_group.drop_duplicates("record_id")
    unit = {record: i for i, record in enumerate(records.record_id)}
    categories, values, sets, codes = _code_categories(rows, scale_of(part))
    n_replicates = part.groupby("coder").replicate.nunique()
    rank = part.groupby("coder").replicate.transform(lambda column: column.rank(method="dense") - 1).astype(int)
    row_unit = rows.record_id.map(unit).to_numpy(np.intp)
    row_coder = rows.coder.map({name: i for i, name in enumerate(coders)}).to_numpy(np.intp)
    row_rank = rank.loc[rows.index].to_numpy(np.intp)
    matrices = []
    for replicate in range(int(n_replicates.max())):
        in_turn = rows.coder.map({name: replicate % int(n_replicates[name]) for name in coders}).to_numpy(np.intp)
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


def _check_numbers(part: pd.DataFrame) -> None:
    """Raise SetupError if there are numbers without categories and without a continuous scale."""
    scale = scale_of(part)
    if (scale is None or scale.level not in _CONTINUOUS) and (part.usable & part.category.isna()).any():
        raise SetupError(
            f"criterion `{part.criterion.iloc[0]}` has numbers without categories; add a column `scale` that says what "
            "they are, such as `0..1`."
        )


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
    index = {name: i for i, name in enumerate(names)}
    codes = rows.category.map(index).to_numpy(np.intp)
    if level == "set":
        return names, None, tuple(frozenset(json.loads(name)) for name in names), codes
    return names, _category_numbers(names) if level == "ordinal" else None, None, codes


def _category_numbers(names: Sequence[str]) -> FloatArray:
    """The categories as numbers if they are ascending numbers, else their ranks."""
    try:
        numbers = np.array([float(name) for name in names])
    except ValueError:
        return np.arange(len(names), dtype=np.float64)
    return numbers if (np.diff(numbers) > 0).all() else np.arange(len(names), dtype=np.float64)
