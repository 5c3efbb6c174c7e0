"""`Answer`: a parsed answer on a scale, and the answers that are outside every scale."""

from __future__ import annotations

from typing import NamedTuple

NON_ANSWERS = ("not applicable", "cannot tell")


class Answer(NamedTuple):
    """A parsed answer: a number on a scale of numbers, a category on a scale of names.

    Value and category are None if there is no answer. A non-answer is a category without a value.
    """

    value: float | None
    category: str | None
    note: str | None = None
    """How the answer was read, where another reading is conceivable."""

    @property
    def is_non_answer(self) -> bool:
        """Whether the answer is `not applicable` or `cannot tell`."""
        return self.value is None and self.category in NON_ANSWERS
