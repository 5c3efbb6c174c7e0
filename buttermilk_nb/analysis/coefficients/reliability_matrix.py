"""The reliability matrix: the code that each coder gave each unit.

Codes are stored as numbers that point into the categories, so that every coefficient is a sum over an array of
integers. The categories are those *declared*, in the order of the scale, and not only those that were used: Gwet's,
Brennan and Prediger's and the weighted coefficients depend on how many there are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from ...codebook.scales import Level
from ...errors import SetupError, nearest

LEVELS: tuple[str, ...] = get_args(Level)
NUMERIC = ("ordinal", "interval", "ratio")


@dataclass(frozen=True, eq=False)
class ReliabilityMatrix:
    """Reliability data of one criterion.

    Parameters
    ----------
    matrix
        Units x coders: an index into `categories`, -1 without a code.
    level
        `nominal`, `ordinal`, `interval`, `ratio` or `set`.
    categories
        The declared categories in the scale's order; the distinct values as text (`interval`, `ratio`); the
        distinct answers as JSON (`set`).
    values
        The number of each category, ascending: declared numbers or ranks (`ordinal`), values (`interval`,
        `ratio`); None for the others. An ordinal scale may also run downwards.
    sets
        The labels of each distinct answer (`set`); None for the others.

    Raises
    ------
    SetupError
        These do not fit each other.

    Examples
    --------
    >>> codes = ReliabilityMatrix.from_rows([["yes", "yes"], ["no", None]], "nominal", categories=["yes", "no"])
    >>> codes.matrix.tolist()
    [[0, 0], [1, -1]]
    """

    matrix: NDArray[np.intp]
    level: str
    categories: tuple[str, ...]
    values: NDArray[np.float64] | None = None
    sets: tuple[frozenset[str], ...] | None = None

    def __post_init__(self) -> None:
        if problem := self._problem():
            raise SetupError(problem)

    @classmethod
    def from_rows(
        cls, rows: Sequence[Sequence[object | None]], level: str, categories: Sequence[object] | None = None
    ) -> ReliabilityMatrix:
        """A reliability matrix from a table of answers.

        Parameters
        ----------
        rows
            Units x coders; None or NaN without a code. A set is any collection of labels, or its JSON.
        level
            The level of measurement.
        categories
            The declared categories, for `ordinal` from lowest to highest. Without them they are the codes, sorted;
            words have no such order, so ordinal words need them.

        Raises
        ------
        SetupError
            A code is not among the categories, or is not a number although the level needs one.

        Examples
        --------
        >>> ReliabilityMatrix.from_rows([[1, 2], [4, float("nan")]], "ordinal", categories=[1, 2, 3, 4]).values.tolist()
        [1.0, 2.0, 3.0, 4.0]
        >>> ReliabilityMatrix.from_rows([[["a", "b"], ["b"]], ["[]", None]], "set").categories
        ('["a", "b"]', '["b"]', '[]')
        """
        if level not in LEVELS:
            raise SetupError(_unknown_level(level))
        if len({len(row) for row in rows}) > 1:
            raise SetupError("every unit needs as many codes as there are coders; write None for a missing code.")
        as_category = _AS_CATEGORY.get(level, _as_text)
        codes = [[None if _is_missing(value) else as_category(value) for value in row] for row in rows]
        used = dict.fromkeys(code for row in codes for code in row if code is not None)
        if level == "set":
            names = sorted(used)  # the labels of a set are declared, and not the answers that they can make
            _check_labels(names, categories)
        else:
            names = _sorted_categories(used, level) if categories is None else list(map(as_category, categories))
        index = {name: i for i, name in enumerate(names)}
        for name in used:
            if name not in index:
                raise SetupError(f"the code `{name}` is not one of the categories; {nearest(name, index)}")
        matrix = [[-1 if code is None else index[code] for code in row] for row in codes]
        return cls(
            np.array(matrix, np.intp).reshape(len(rows), len(rows[0]) if rows else 0),
            level,
            tuple(names),
            _category_values(names, level),
            tuple(frozenset(json.loads(name)) for name in names) if level == "set" else None,
        )

    def _problem(self) -> str | None:
        size = len(self.categories)
        if self.level not in LEVELS:
            return _unknown_level(self.level)
        if self.matrix.ndim != 2 or not np.issubdtype(self.matrix.dtype, np.integer):
            return "the matrix of codes must be units x coders, of whole numbers."
        if self.matrix.size and (self.matrix.min() < -1 or self.matrix.max() >= size):
            return f"the matrix has an index beyond the {size} categories."
        if self.level == "set" and (self.sets is None or len(self.sets) != size):
            return "level `set` needs the labels of each distinct answer in `sets`."
        if self.level not in NUMERIC:
            return None
        if self.values is None or len(self.values) != size:
            return f"level `{self.level}` needs the number of each category in `values`."
        steps = np.diff(self.values)
        if not np.isfinite(self.values).all() or not (
            (steps > 0).all() or (self.level == "ordinal" and (steps < 0).all())
        ):
            return f"the values of level `{self.level}` must be finite and ascending, each once."
        return None


def _unknown_level(level: str) -> str:
    return f"there is no level of measurement `{level}`; {nearest(level, LEVELS)}"


def _is_missing(value: object) -> bool:
    if value is None:
        return True
    try:
        return bool(value != value)  # NaN
    except TypeError:
        return True  # pandas.NA, which is neither equal nor unequal to itself


def _as_text(value: object) -> str:
    if isinstance(value, Real) and not isinstance(value, bool):
        number = float(value)
        return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
    return str(value)


def _number_text(value: object) -> str:
    try:
        number = float(value)  # type: ignore[arg-type]  # anything else than a number raises the error below
    except (TypeError, ValueError):
        raise SetupError(f"the code `{value}` is not a number.") from None
    if not np.isfinite(number):
        raise SetupError(f"the code `{value}` is not finite.")
    return _as_text(number)


def _label_set_json(value: object) -> str:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = None
    if not isinstance(value, Iterable) or isinstance(value, str | dict):
        raise SetupError('a code of level `set` is a collection of labels, or its JSON, such as `["a", "b"]`.')
    return json.dumps(sorted({str(label) for label in value}), ensure_ascii=False)


_AS_CATEGORY = {"interval": _number_text, "ratio": _number_text, "set": _label_set_json}


def _sorted_categories(used: Iterable[str], level: str) -> list[str]:
    if level == "nominal":
        return sorted(used)
    try:
        return sorted(used, key=float)
    except ValueError:
        raise SetupError("ordinal codes that are words need `categories`, from lowest to highest.") from None


def _category_values(names: Sequence[str], level: str) -> NDArray[np.float64] | None:
    """The categories as numbers; the ranks for ordinal names, and for ordinal numbers that are not in order."""
    if level not in NUMERIC:
        return None
    ranks = np.arange(1.0, len(names) + 1)
    try:
        numbers = np.array([float(name) for name in names])
    except ValueError:
        return ranks
    steps = np.diff(numbers)
    return ranks if level == "ordinal" and not ((steps > 0).all() or (steps < 0).all()) else numbers


def _check_labels(names: Sequence[str], categories: Sequence[object] | None) -> None:
    if categories is None:
        return
    declared = [str(label) for label in categories]
    for name in names:
        for label in json.loads(name):
            if label not in declared:
                raise SetupError(f"the label `{label}` is not one of the categories; {nearest(label, declared)}")
