"""What functions return becomes plain data, or a sentence that names the part that cannot be kept."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import json
import math
import uuid
from collections import namedtuple
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePosixPath

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from pydantic import BaseModel

from buttermilk_nb._internal.plain_data import to_plain_data


class Colour(enum.Enum):
    RED = "red"


class Speaker(BaseModel):
    name: str
    born: dt.date | None = None


@dataclasses.dataclass
class Point:
    x: float
    of: list[int]


Pair = namedtuple("Pair", "left right")
FRAME = pd.DataFrame({"n": [1, 2], "when": pd.to_datetime(["2026-01-02", None]), "share": [0.5, math.nan]})


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.int64(3), 3), (np.float32(0.5), 0.5), (np.bool_(True), True),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (np.str_("word"), "word"), (np.datetime64("2026-01-02T03:04:05", "ns"), "2026-01-02T03:04:05.000000000"),
        (np.array(["2026-01-02"], dtype="datetime64[ns]"), ["2026-01-02T00:00:00.000000000"]),
        (math.nan, None), (math.inf, None), (np.nan, None), (pd.NA, None), (pd.NaT, None), (Decimal("NaN"), None),
        (pd.Timestamp("2026-01-02 03:04"), "2026-01-02T03:04:00"), (dt.date(2026, 1, 2), "2026-01-02"),
        (dt.time(3, 4), "03:04:00"), (dt.timedelta(hours=1), "1:00:00"), (PurePosixPath("a/b.txt"), "a/b.txt"),
        (Decimal("1.50"), 1.5), (Decimal("3"), 3), (Fraction(1, 4), 0.25), (Colour.RED, "red"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Speaker(name="Ana", born=dt.date(1990, 1, 2)), {"name": "Ana", "born": "1990-01-02"}),
        (Point(0.5, [1]), {"x": 0.5, "of": [1]}), (Pair(1, (2,)), {"left": 1, "right": [2]}),
        ({"b", "a"}, ["a", "b"]), ({1: "x", Colour.RED: "y"}, {"1": "x", "red": "y"}),
        (pd.Series([1, 2]), [1, 2]), ("lone \ud800", "lone \ufffd"),
        (FRAME, [{"n": 1, "when": "2026-01-02T00:00:00", "share": 0.5}, {"n": 2, "when": None, "share": None}]),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_values_become_plain(value, plain):
    assert to_plain_data(value) == plain
    assert to_plain_data({"deep": [value]}) == {"deep": [plain]}
    assert type(to_plain_data(value)) is type(plain)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": {"b": [1, object()]}}, r"`a\.b\[1\]` of the output is of type object"),
        (b"bytes", "the output is of type bytes"),
        ({"z": 1 + 2j}, "`z` of the output is of type complex"),
        ({1: "a", "1": "b"}, "two fields that are both written `1`"),
        (2**20_000, "more than 4,000 digits"),
        (Decimal("1e999999"), "too large a number"),
        (pd.DataFrame({"n": range(1001)}), "frame of 1,001 rows; at most 1,000"),
        (pd.DataFrame([[1, 2]], columns=["n", "n"]), "two columns of one name"),
        (Speaker, "of type ModelMetaclass"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_what_cannot_be_kept_is_named(value, message):
    with pytest.raises((TypeError, ValueError), match=message):
        to_plain_data(value)


def test_a_value_that_contains_itself_is_a_sentence():
    value: list = []
    value.append(value)
    with pytest.raises(ValueError, match="contains itself"):
        to_plain_data(value)


LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates() | st.datetimes() | st.times()
    | st.decimals() | st.uuids() | st.fractions() | st.sampled_from(Colour) | st.floats(width=32).map(np.float32)
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner)))
def test_the_result_is_json_and_stays_as_it_is(value):
    try:
        plain = to_plain_data(value)
    except ValueError:
        return  # two keys that differ only in a lone surrogate
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert to_plain_data(plain) == plain


def test_a_column_with_names_is_a_mapping_and_one_without_a_list():
    assert to_plain_data(pd.Series({"a": 1, "b": 2})) == {"a": 1, "b": 2}
    assert to_plain_data(pd.Series([1, 2])) == [1, 2]
