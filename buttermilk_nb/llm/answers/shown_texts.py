"""`ShownTexts`: the texts that a model was shown, to recognise answers that stand in them.

A text can hold a complete answer in JSON, by accident or to plant it. If a model repeats it, it must not count as the
model's own answer. White space, marks of block quotes, backslashes, invisible characters, kinds of quotation marks and
the escapes of HTML, addresses and JSON are ignored in the comparison, on both sides.
"""

from __future__ import annotations

import html
import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import unquote

from ..._internal.ids import canonical
from .find_json import find_objects
from .repair_object import repair_object

_QUOTE_MARKS = re.compile(r"^[ \t>]+", re.MULTILINE)
_ANSWER_FIELD = re.compile(r'"answer":(?:"(?:[^"\\]|\\.)*+"|[^\s,}\]"]++)')
_CLOSING = re.compile(r'"[\]}]+,?$')
"""The end of a string and a list right before an answer field: in most answers a conclusion stands between."""
_START = re.compile(r"""\{\s*+["'](?:criteria|answer|reasons|conclusion)["']""")
_MAX_STARTS, _MAX_LENGTH, _MAX_REPAIRED, _MAX_DEPTH = 100, 8_000, 20_000, 50
_INVISIBLE = re.compile("[\ufeff\0\u00ad\u200b-\u200f\u2060]")
_QUOTES = str.maketrans("’‘´`“”„‟", "''''" + '""""')
_ESCAPED = re.compile(r"[&`\0]|%7|\\u")
"""What an ASCII text may contain that has another form."""
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_CONTEXT = 24
"""Characters before an answer field (without white space) that no answer shares with a text by chance."""


class ShownTexts:
    """Texts of others that a model was shown.

    Parameters
    ----------
    texts
        The texts. Those without a curly bracket are ignored, because they contain no JSON.
    same_for_all
        Texts that are the same in many questions, such as the form of the answer; they are analysed once.
    redacted
        The original of each placeholder that stood in the texts as they were sent.

    Examples
    --------
    >>> shown = ShownTexts(['Reply {"answer": "yes"} to this.'])
    >>> shown.contain_answer('{ "answer": "yes" }', {"answer": "yes"}), shown.contain_answer("", {"answer": "no"})
    (True, False)
    """

    def __init__(
        self,
        texts: Iterable[str] = (),
        *,
        same_for_all: Iterable[str] = (),
        redacted: Mapping[str, str] | None = None,
    ) -> None:
        forms = [
            form for text in texts for form in _forms(_with_placeholders(text, redacted or {})) if _has_object(form)
        ]
        self._analyses = [_analyse(text) for text in same_for_all if _has_object(text)]
        if forms:
            self._analyses.append(_Analysis(forms))

    def contain_answer(self, source: str, answer: dict[str, Any]) -> bool:
        """Whether an answer, or its part on a criterion, stands in one of the texts.

        Parameters
        ----------
        source
            The answer as the model wrote it.
        answer
            Its value.
        """
        if not self._analyses:
            return False
        sources, folded = _forms(source), _fold_strings(answer)
        compact_sources = [compact for compact in map(_compact, sources) if compact]
        return any(analysis.contains_answer(sources, compact_sources, folded) for analysis in self._analyses)

    def share_object_with(self, source: str) -> bool:
        """Whether an object of one of the texts stands, as it is, in an answer that is not strict JSON."""
        sources = _forms(source) if self._analyses else []
        compact_sources = [_compact(form) for form in sources]
        return any(analysis.shares_object_with(sources, compact_sources) for analysis in self._analyses)


class _Analysis:
    """The objects and the answer fields in some texts, each given in the forms in which it may be repeated."""

    def __init__(self, forms: Sequence[str]) -> None:
        self._texts = forms

    def contains_answer(self, sources: Sequence[str], compact_sources: Sequence[str], answer: Any) -> bool:
        return (
            any(compact in text for compact in compact_sources for text in self._compact_texts)
            or any(self._contain_entry(item) for item in _objects_with_answer(answer))
            or canonical(answer) in self._objects
            or any(map(self._contain_answer_field, sources))
        )

    def shares_object_with(self, sources: Sequence[str], compact_sources: Sequence[str]) -> bool:
        return any(item in compact for compact in compact_sources for item in self._object_sources) or any(
            map(self._contain_answer_field, sources)
        )

    def _contain_entry(self, item: dict[str, Any]) -> bool:
        """Whether all fields of an entry stand together in one of the texts, perhaps with more."""
        fields = _plain_fields(item)
        return len(fields) == len(item) and any(fields.items() <= entry.items() for entry in self._entries)

    def _contain_answer_field(self, source: str) -> bool:
        """Whether a field `answer` stands in one of the texts together with what is before it."""
        structure = "".join(source.translate(_QUOTES).split())
        for match in _ANSWER_FIELD.finditer(structure):
            before = structure[max(0, match.start() - _CONTEXT) : match.start()]
            closing = _CLOSING.search(before)
            for context in (before, closing[0] if closing else ""):
                if context and any(f"{context}{match[0]}" in text for text in self._structures):
                    return True
        return False

    @cached_property
    def _compact_texts(self) -> list[str]:
        return [_compact(text) for text in self._texts]

    @cached_property
    def _structures(self) -> list[str]:
        return ["".join(_QUOTE_MARKS.sub("", text).translate(_QUOTES).split()) for text in self._texts]

    @cached_property
    def _object_sources(self) -> list[str]:
        sources = {
            _compact(text[found.start : found.end])
            for text in self._texts
            for found in find_objects(text)
            if found.state == "complete" and "answer" in text[found.start : found.end]
        }
        return sorted(sources)

    @cached_property
    def _objects(self) -> frozenset[str]:
        """The objects in the texts."""
        return frozenset(canonical(value) for value in self._values if value)

    @cached_property
    def _values(self) -> list[Any]:
        """The values of the objects in the texts; some of those that are not strict JSON are repaired."""
        values: list[Any] = []
        repairable = _MAX_REPAIRED
        for text in self._texts:
            for form in {text, text.replace('\\"', '"')}:
                found = [(item.start, item.end, item.value) for item in find_objects(form)]
                for match in itertools.islice(_START.finditer(form), _MAX_STARTS):
                    part = form[match.start() : match.start() + _MAX_LENGTH]
                    found += [(match.start(), match.start() + item.end, item.value) for item in find_objects(part)[:1]]
                for start, end, value in found:
                    if value is None and "answer" in form[start:end] and end - start <= repairable:
                        repairable -= end - start
                        value = repair_object(form[start:end])
                    values.append(_fold_strings(value))
        return values

    @cached_property
    def _entries(self) -> list[dict[str, str]]:
        """The parts of the objects that have an answer: their plain fields, as canonical JSON."""
        return [_plain_fields(item) for value in self._values for item in _objects_with_answer(value)]


@lru_cache(maxsize=64)
def _analyse(text: str) -> _Analysis:
    return _Analysis([form for form in _forms(text) if _has_object(form)])


def _has_object(text: str) -> bool:
    return "{" in text or "}" in text


def _with_placeholders(text: str, redacted: Mapping[str, str]) -> str:
    for placeholder, original in sorted(redacted.items(), key=lambda item: -len(item[1])):
        text = text.replace(original, placeholder)
    return text


def _forms(text: str) -> list[str]:
    """The text without invisible characters; and, if that differs, with its escapes decoded, and with plain marks."""
    if text.isascii() and not _ESCAPED.search(text):
        return [text]
    visible = _INVISIBLE.sub("", text)
    decoded = html.unescape(visible) if "&" in visible else visible
    decoded = unquote(decoded) if "%7" in decoded else decoded
    decoded = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), decoded) if "\\u" in decoded else decoded
    decoded = decoded if decoded.isascii() else _INVISIBLE.sub("", unicodedata.normalize("NFKC", decoded))
    return list(dict.fromkeys([visible, decoded.translate(_QUOTES), decoded]))


def _fold_strings(value: Any, depth: int = 0) -> Any:
    """A value with each of its texts decoded, with plain quotation marks and single spaces."""
    if depth > _MAX_DEPTH:
        return value
    if isinstance(value, str):
        return " ".join(_forms(value)[-1].translate(_QUOTES).replace('"', "'").split())
    if isinstance(value, dict):
        return {key: _fold_strings(item, depth + 1) for key, item in value.items()}
    return [_fold_strings(item, depth + 1) for item in value] if isinstance(value, list) else value


def _compact(text: str) -> str:
    return "".join(_QUOTE_MARKS.sub("", text).replace("\\", "").translate(_QUOTES).split())


def _nested_objects(value: Any) -> Iterator[dict[str, Any]]:
    """All objects in a value with at least one field, from outside to inside."""
    remaining = [value]
    while remaining:
        item = remaining.pop()
        if isinstance(item, dict):
            if item:
                yield item
            remaining.extend(item.values())
        elif isinstance(item, list):
            remaining.extend(item)


def _plain_fields(item: dict[str, Any]) -> dict[str, str]:
    """The fields that hold no objects: a text in many objects inside each other would be written as often."""
    return {
        name: canonical(field)
        for name, field in item.items()
        if not isinstance(field, dict | list) or (isinstance(field, list) and all(isinstance(x, str) for x in field))
    }


def _objects_with_answer(value: Any) -> Iterator[dict[str, Any]]:
    return (item for item in _nested_objects(value) if "answer" in item)
