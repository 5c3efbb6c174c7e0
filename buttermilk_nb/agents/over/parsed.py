"""What was made of an answer that is no scores: an output, or why there is none."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, NamedTuple

from ...errors import InvalidAnswer
from ...llm.client import Asked
from ...traces import Status
from ..asking import together
from ..readings import Unread, read_object


class Parsed(NamedTuple):
    """An answer that was read."""

    asked: Asked
    status: Status
    found: Any = None
    problem: BaseException | None = None

    @property
    def unread(self) -> int:
        """Whether it could not be read."""
        return int(self.status == "invalid")

    @property
    def statuses(self) -> set[str]:
        """Its status."""
        return {self.status}

    def or_better(self, second: Parsed) -> Parsed:
        """The better of two, with the rows of both."""
        better = second if second.unread < self.unread and second.asked.completion else self
        whole = together([self.asked, second.asked])
        return better._replace(asked=whole._replace(completion=better.asked.completion, request=better.asked.request))


def parsed(asked: Asked, wanted: Collection[str], make: Callable[[dict[str, Any]], Any]) -> Parsed:
    """Read an answer; `make` takes the object in it apart, and raises InvalidAnswer where it is not as asked for."""
    try:
        return Parsed(asked, "ok", make(read_object(asked, wanted)))
    except Unread as unread:
        return Parsed(asked, unread.status, problem=unread.why)
    except InvalidAnswer as error:
        return Parsed(asked, "invalid", problem=error)
