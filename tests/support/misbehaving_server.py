"""A chat server that fails on purpose: which requests, and how, depends on their text alone."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any

from support.chat_server import HANG, ChatServer, messages_text

SHARES = {"rate-limited": 0.05, "server error": 0.02, "hung": 0.02, "malformed": 0.10}
_MALFORMED = (
    "I would rather not put this into JSON.",
    '{"criteria": {"calm": {"reasons": ["It',
    '{"criteria": {"calm": {"answer": "perhaps"}}}',
    '{"criteria": ]',
)


class MisbehavingServer(ChatServer):
    """Every fault strikes once a request, and malformed answers stay malformed in every second case."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()
        self.reply = self.misbehave

    def misbehave(self, body: dict[str, Any]) -> Any:
        text = messages_text(body)
        self.requests[text] += 1
        again = any(message["role"] == "assistant" for message in body["messages"])
        first = body["messages"][1]["content"] if again else text.partition("\n")[2] or text
        place = int(hashlib.sha256(first.rpartition("record ")[2].encode()).hexdigest()[:8], 16) / 16**8
        fault = self._fault(place)
        if fault == "malformed":
            stubborn = int(place * 1e6) % 2
            if again and not stubborn:
                return self.answer(body)
            self.faults[fault] += 1
            return self.answer(body, text=_MALFORMED[int(place * 1e4) % len(_MALFORMED)])
        if fault is None or self.requests[text] > 1:
            return self.answer(body)
        self.faults[fault] += 1
        if fault == "rate-limited":
            return self.failure(429, "slow down", code="rate_limit_exceeded", headers={"retry-after": "0.2"})
        return HANG if fault == "hung" else self.failure(500, "an error of the server")

    @staticmethod
    def _fault(place: float) -> str | None:
        for fault, share in SHARES.items():
            if place < share:
                return fault
            place -= share
        return None
