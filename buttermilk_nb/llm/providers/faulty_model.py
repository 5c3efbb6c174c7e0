"""`double/...`: test doubles that fail on request, for tests, teaching and rehearsing a study.

`double/answer` answers like `offline/strict` if there are cues, and otherwise with the first answer of the scale.
The others do one thing wrong, for a `share` of the requests (by default all of them):

- `double/refuse`: declines in words.
- `double/broken`: sends JSON that is cut off in the middle.
- `double/nonsense`: sends valid JSON with an answer that is not on the scale.
- `double/filter`: the provider's filter stops the answer.
- `double/ratelimit`, `double/overloaded`, `double/unavailable`: fails as a provider does.
- `double/timeout`: never answers; the client's time limit ends it.
- `double/slow?seconds=0.2`: answers late.

Only the request decides whether it is affected, so a run can be repeated exactly.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from ..._internal.ids import digest
from ...codebook.criterion import Criterion
from ...corpus.record import Record
from ...errors import (
    ContentFilterError,
    ModelError,
    OverloadedError,
    RateLimitError,
    SetupError,
    SkippedCell,
    UnavailableError,
)
from ...schema import now
from ..completion import Completion
from ..model import Request
from ..offline_input import OfflineInput
from .model_options import parse_options
from .offline.models import DictionaryModel

_FAILURES: dict[str, ModelError] = {
    "ratelimit": RateLimitError("the double says: too many requests (HTTP 429).", code="429"),
    "overloaded": OverloadedError("the double says: overloaded (HTTP 529).", code="529"),
    "unavailable": UnavailableError("the double says: server error (HTTP 500).", code="500"),
    "filter": ContentFilterError("the double says: stopped by a filter.", code="content_filter"),
}


class TestDouble(DictionaryModel):
    """A model that fails in the way that its name says.

    Parameters
    ----------
    name
        `double/refuse`, `double/broken?share=0.1`, ...
    options
        The options in the name, as texts: `share` (from 0 to 1), and `seconds` for `double/slow`.

    Examples
    --------
    >>> TestDouble("double/refuse", {"share": "0.1"})
    <model double/refuse: a test double that misbehaves on request; not a language model>
    """

    behaviours = (
        "answer", "refuse", "broken", "nonsense", "filter", "ratelimit", "overloaded", "unavailable", "timeout", "slow",
    )  # fmt: skip
    description = "a test double that misbehaves on request; not a language model"
    calls = 0
    needs_cues = False
    in_process = False
    shares_limits = False
    backoff_s = 0.01  # it fails on request, so long waits are useless

    def __init__(self, name: str, options: dict[str, str]) -> None:
        super().__init__(name, {})
        self._strict = True
        self._behaviour = name.partition("?")[0].partition("/")[2]
        values = parse_options(name, options, {"share": 1.0, "seconds": 0.2})
        if not 0 <= values["share"] <= 1 or values["seconds"] < 0:
            raise SetupError(f"model `{name}`: share must be between 0 and 1, and seconds must not be negative.")
        self._share, self._seconds = values["share"], values["seconds"]

    def skip_reason(self, offline_input: OfflineInput | None) -> SkippedCell | None:  # noqa: ARG002  # it answers without cues too
        return None

    async def complete(self, request: Request) -> Completion:
        self.calls += 1
        fraction = int(digest("d", request.key)[-8:], 16) / 16**8
        if self._behaviour == "answer" or fraction >= self._share:
            return await super().complete(request)
        if self._behaviour in _FAILURES:
            failure = _FAILURES[self._behaviour]
            raise type(failure)(str(failure), code=failure.code)
        if self._behaviour == "timeout":
            await asyncio.Event().wait()
        if self._behaviour == "slow":
            await asyncio.sleep(self._seconds)
            return await super().complete(request)
        completion = await super().complete(request)
        text = {
            "refuse": "I'm sorry, but I can't help with judging this text.",
            "broken": completion.text[: len(completion.text) // 2],
            "nonsense": json.dumps({"criteria": {c.name: {"answer": "perhaps"} for c in _requested_criteria(request)}}),
        }[self._behaviour]
        reason = "length" if self._behaviour == "broken" else "stop"
        return completion.model_copy(update={"text": text, "raw": text, "finish_reason": reason, "answered_at": now()})

    def answer(self, record: Record, criterion: Criterion, replicate: int) -> dict[str, Any]:
        if criterion.cues:
            return super().answer(record, criterion, replicate)
        scale = criterion.scale
        answer = scale.answers[0] if scale.answers else scale.bounds[0] if scale.bounds else 0.0
        return {
            "reasons": ["A test double answered."],
            "conclusion": "No reasoning.",
            "answer": [answer] if scale.offline_rule == "every cue" else answer,
            "uncertainty": "high",
        }


def _requested_criteria(request: Request) -> tuple[Criterion, ...]:
    return request.offline_input.criteria.criteria if request.offline_input and request.offline_input.criteria else ()
