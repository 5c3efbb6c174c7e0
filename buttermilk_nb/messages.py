"""Messages: what is sent to a model, one role each."""

from __future__ import annotations

from typing import Literal, NamedTuple

Role = Literal["system", "user", "assistant"]


class Message(NamedTuple):
    """One message. A plain tuple, because thousands are made per second."""

    role: Role
    content: str

    def as_dict(self) -> dict[str, str]:
        """The form that chat APIs take."""
        return {"role": self.role, "content": self.content}
