"""`FormControl`: how people give an answer on a scale, in the coding form and on a coding sheet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple


class FormControl(NamedTuple):
    """How a form shows a scale.

    Parameters
    ----------
    kind
        `choice`: one of the answers. `choices`: any number of them. `number`: a number in the scale's bounds.
    captions
        Additional texts on the buttons, by answer; by default none.
    is_ordered
        Whether the answers are ordered from low to high.
    """

    kind: Literal["choice", "choices", "number"] = "choice"
    captions: Mapping[str, str] = {}
    is_ordered: bool = False
