"""`FormControl`: how people give an answer on a scale, in the coding form and on a coding sheet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple


class FormControl(NamedTuple):
    """What a form shows for a scale.

    Parameters
    ----------
    kind
        `choice`: one of the answers. `choices`: any number of them. `number`: a number in the scale's bounds.
    captions
        What stands on an answer's button beside the answer itself.
    is_ordered
        Whether the answers form a row from low to high.
    """

    kind: Literal["choice", "choices", "number"] = "choice"
    captions: Mapping[str, str] = {}
    is_ordered: bool = False
