"""`FrozenModel`: a model whose fields never change, so that hashes of them are computed once.

pydantic keeps a cached property beside the fields. Its own copy with changed fields would take the old hash along, and
its iteration would give the hash as if it were a field.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict


class FrozenModel(BaseModel):
    """A model without changeable or unknown fields. A copy computes its cached properties anew.

    Examples
    --------
    >>> from functools import cached_property
    >>> class Word(FrozenModel):
    ...     text: str
    ...     @cached_property
    ...     def length(self):
    ...         return len(self.text)
    >>> word = Word(text="one")
    >>> word.length, word.model_copy(update={"text": "three"}).length, dict(word)
    (3, 5, {'text': 'one'})
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with some fields changed. Everything that is computed from the fields is computed anew."""
        copied = super().model_copy(update=update, deep=deep)
        for name in copied.__dict__.keys() - type(self).model_fields.keys():
            del copied.__dict__[name]
        return copied

    def __iter__(self) -> Generator[tuple[str, Any], None, None]:
        """The fields with their values, without cached properties."""
        yield from ((name, value) for name, value in super().__iter__() if name in type(self).model_fields)
