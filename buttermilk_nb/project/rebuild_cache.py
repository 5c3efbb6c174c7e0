"""Restores cache entries from stored calls.

Each stored call has its cache key. The Store does not have all parts of the key (schema, replicate, further input of an
offline model), so a restored entry names fewer of its parts. It works all the same.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from .._internal.ids import canonical, digest
from ..llm.completion import FROM_DISK, CacheEntry, Completion
from ..store import Store

_CHUNK = 2_000
_QUERY = """
    select c.cache_key, c.model_requested, c.params_sent, q.body as request, a.body as response, c.finish_reason,
           c.model_served, c.fingerprint, c.request_id, c.tokens_in, c.tokens_out, c.error_code, c.latency_s,
           coalesce(c.cost_usd + coalesce(c.saved_usd, 0), c.saved_usd) as cost_usd, c.answered_at, t.record_hash
    from calls c
    join texts q on q.text_hash = c.request_hash
    join texts a on a.text_hash = c.response_hash
    left join traces t using (trace_id)
    where c.answered_at is not null and c.provider is distinct from 'imported'
          and c.cache_key not like 'ke%'  -- the Store keeps only a hash of vectors
    qualify row_number() over (partition by c.cache_key order by c.answered_at desc, c.call_id desc) = 1"""


def stored_answers(store: Store) -> Iterator[tuple[str, str]]:
    """The key and the cache entry of every stored answer, the newest for each key."""
    with store.reading() as con:
        cursor = con.execute(_QUERY)
        names = [column[0] for column in cursor.description]
        while rows := cursor.fetchmany(_CHUNK):
            for row in rows:
                values = dict(zip(names, row, strict=True))
                if entry := _cache_entry(values):
                    yield values["cache_key"], entry


def _cache_entry(values: dict[str, Any]) -> str | None:
    text, refusal = _response_text(values["response"])
    try:
        completion = Completion.model_validate(
            {
                "text": text,
                "refusal": refusal,
                "raw": values["response"],
                "category": values["error_code"],
                **{name: values[name] for name in _COMPLETION_COLUMNS},
            },
            context=FROM_DISK,
        )
    except ValidationError:  # a row that was changed by hand
        return None
    return CacheEntry(parts=_key_parts(values), completion=completion).model_dump_json()


_COMPLETION_COLUMNS = (
    "finish_reason", "model_served", "fingerprint", "request_id", "tokens_in", "tokens_out", "cost_usd", "latency_s",
    "answered_at",
)  # fmt: skip
assert {*_COMPLETION_COLUMNS} < set(Completion.model_fields)
assert dt.datetime is Completion.model_fields["answered_at"].annotation


def _response_text(raw: str) -> tuple[str, str | None]:
    """The text and the refusal in a response in litellm's form; any other response is the text itself."""
    try:
        message = json.loads(raw)["choices"][0]["message"]
    except (ValueError, KeyError, IndexError, TypeError):
        return raw, None
    extra_fields = message.get("provider_specific_fields") or {}
    return message.get("content") or "", message.get("refusal") or extra_fields.get("refusal")


def _key_parts(values: dict[str, Any]) -> dict[str, str]:
    parts = {"model": values["model_requested"], "params": digest("kp1", values["params_sent"])}
    try:
        messages = json.loads(values["request"])["messages"]
    except (ValueError, KeyError, TypeError):
        messages = []
    for n, message in enumerate(messages, 1):
        parts[f"message {n} ({message.get('role')})"] = digest("km1", canonical(message))
    return {**parts, **({"record": values["record_hash"]} if values["record_hash"] else {})}
