"""`Answer`: a parsed answer on a scale, and the answers that are outside every scale."""

from __future__ import annotations

from typing import NamedTuple

NON_ANSWERS = ("not applicable", "cannot tell")


class Answer(NamedTuple):
    """A parsed answer: a number where the scale has numbers, a category where it has names.

    Both are None for nothing; a non-answer is a category without a value.
    """

    value: float | None
    category: str | None

    @property
    def is_non_answer(self) -> bool:
        """True for `not applicable` and `cannot tell`."""
        return self.value is None and self.category in NON_ANSWERS
