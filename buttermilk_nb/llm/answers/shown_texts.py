"""`ShownTexts`: the texts that a model was shown, to recognise answers that stand in them.

A text can hold a complete answer in JSON, by accident or to plant it. If a model repeats it, it must not count as the
model's own answer. Both sides are compared in the forms of `text_forms.py`. An answer of some length is also recognised
by its letters alone, whatever stands between them: tags, marks of comments and tables, line numbers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from itertools import chain, islice
from typing import Any

from ..._internal.ids import canonical
from .find_json import find_objects
from .repair_object import repair_object
from .text_forms import (
    compact_form,
    decoded_forms,
    fold_strings,
    is_compact,
    letters_of,
    may_have_escapes,
    plain_forms,
    structure,
)

_ANSWER_FIELD = re.compile(r'"answer":(?:"(?:[^"\\]|\\.)*+"|[^\s,}\]"]++)')
_PLAIN_FIELD = re.compile(r'"answer"\s*+:\s*+("[A-Za-z0-9_.-]{1,60}+"|-?\d{1,9}|true|false|null)\s*+[,}]')
_MAX_FIELDS = 1_000
_MAY_STAND_FOR_LETTERS = re.compile("[^\x01-\x7f\xc0-\xff\u2013\u2014\u2018-\u201f\u2026]|[\\\\&]|%(?:7|25)")
_CLOSING = re.compile(r'"[\]}]+,?$')
"""The end of a string and a list right before an answer field: in most answers a conclusion stands between."""
_START = re.compile(r"""\{\s*+["'](?:criteria|answer|reasons|conclusion)["']""")
_MAX_STARTS, _MAX_LENGTH, _MAX_REPAIRED = 100, 8_000, 20_000
_TAG = re.compile(r"<[^<>]{0,300}>")
_MIN_LETTERS = 60
"""The letters of an answer, its keys included, that no text shares by chance."""
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
        if redacted:
            texts = [_with_placeholders(text, redacted) for text in texts]
        texts = [text for text in texts if text and _may_show_bracket(text)]
        forms = [form for text in texts for form in decoded_forms(text) if _has_bracket(form)]
        self._others = _Analysis(forms) if forms else None
        self._analyses = [_analyse(text) for text in same_for_all if _has_bracket(text)]
        if self._others:
            self._analyses.append(self._others)

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
        field = _only_plain_field(source)
        analyses = [each for each in self._analyses if field is None or each.may_contain(field)]
        forms = _AnswerForms(source) if analyses else None
        if forms and any(analysis.contains_answer(forms, answer) for analysis in analyses):
            return True
        return self._others is not None and self._others.contains_letters(answer)

    def share_object_with(self, source: str) -> bool:
        """Whether an object of one of the texts stands, as it is, in an answer that is not strict JSON."""
        forms = _AnswerForms(source if self._analyses else "")
        return any(analysis.shares_object_with(forms) for analysis in self._analyses)


class _AnswerForms:
    """An answer as a model wrote it, in its forms."""

    def __init__(self, source: str) -> None:
        plain = plain_forms(source)
        texts = ["".join(form.split()) for form in plain]
        compact = [text if is_compact(form) else compact_form(form) for form, text in zip(plain, texts, strict=True)]
        self.compact = [text for text in compact if text]
        self.fields = [(match[0], text, match.start()) for text in texts for match in _ANSWER_FIELD.finditer(text)]
        """Each field `answer`, with the text in which it is, and its position there."""


class _Analysis:
    """The objects and the answer fields in some texts, each given in the forms in which it may be repeated."""

    def __init__(self, forms: Sequence[str]) -> None:
        self._texts = forms
        self._known_fields: dict[str, bool] = {}

    def may_contain(self, field: str) -> bool:
        """Whether a reply whose only answer field this is may stand in one of the texts; most do not."""
        known = self._known_fields.get(field)
        if known is None:
            value = canonical(fold_strings(json.loads(field.partition(":")[2])))
            texts = (*self._structures, *self._compact_texts)
            known = value in self._answers or any(field in text for text in texts)
            if len(self._known_fields) < _MAX_FIELDS:
                self._known_fields[field] = known
        return known

    def contains_answer(self, forms: _AnswerForms, answer: dict[str, Any]) -> bool:
        for compact in forms.compact:
            for text in self._compact_texts:
                if compact in text:
                    return True
        return self._contain_value(answer) or self._contain_field(forms)

    def shares_object_with(self, forms: _AnswerForms) -> bool:
        shared = (item in compact for compact in forms.compact for item in self._object_sources)
        return any(shared) or self._contain_field(forms)

    def _contain_value(self, answer: dict[str, Any]) -> bool:
        """Whether the object, or an entry of it, is in one of the texts, perhaps written in another way."""
        answers = [entry["answer"] for entry in _objects_with_answer(answer)]
        if answers and not any(canonical(fold_strings(value)) in self._answers for value in answers):
            return False
        folded = fold_strings(answer)
        return any(map(self._contain_entry, _objects_with_answer(folded))) or canonical(folded) in self._objects

    def _contain_entry(self, item: dict[str, Any]) -> bool:
        """Whether all fields of an entry stand together in one of the texts, perhaps with more."""
        fields = _plain_fields(item)
        return len(fields) == len(item) and any(fields.items() <= entry.items() for entry in self._entries)

    def _contain_field(self, forms: _AnswerForms) -> bool:
        """Whether a field `answer` stands in one of the texts together with what is before it."""
        for field, source, position in forms.fields:
            for text in self._structures:
                if field in text and any(piece in text for piece in _pieces(field, source, position)):
                    return True
        return False

    def contains_letters(self, answer: dict[str, Any]) -> bool:
        """Whether an entry stands in one of the texts if only letters count."""
        entries = (letters_of(json.dumps(entry, ensure_ascii=False)) for entry in _objects_with_answer(answer))
        signatures = [letters for letters in entries if len(letters) >= _MIN_LETTERS]
        return any(letters in text for letters in signatures for text in self._letter_texts)

    @cached_property
    def _letter_texts(self) -> list[str]:
        texts = chain(self._texts, (_TAG.sub("", text) for text in self._texts if "<" in text))
        return list(dict.fromkeys(map(letters_of, texts)))

    @cached_property
    def _compact_texts(self) -> list[str]:
        return [compact_form(text) for text in self._texts]

    @cached_property
    def _structures(self) -> list[str]:
        return [structure(text) for text in self._texts]

    @cached_property
    def _object_sources(self) -> list[str]:
        sources = {
            compact_form(text[candidate.start : candidate.end])
            for text in self._texts
            for candidate in find_objects(text)
            if candidate.state == "complete" and "answer" in text[candidate.start : candidate.end]
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
                objects = [(item.start, item.end, item.value) for item in find_objects(form)]
                for match in islice(_START.finditer(form), _MAX_STARTS):
                    part = form[match.start() : match.start() + _MAX_LENGTH]
                    objects += [
                        (match.start(), match.start() + item.end, item.value) for item in find_objects(part)[:1]
                    ]
                for start, end, value in objects:
                    if value is None and "answer" in form[start:end] and end - start <= repairable:
                        repairable -= end - start
                        value = repair_object(form[start:end])
                    values.append(fold_strings(value))
        return values

    @cached_property
    def _answers(self) -> frozenset[str]:
        """What the objects in the texts answer."""
        return frozenset(canonical(item["answer"]) for value in self._values for item in _objects_with_answer(value))

    @cached_property
    def _entries(self) -> list[dict[str, str]]:
        """The parts of the objects that have an answer: their plain fields, as canonical JSON."""
        return [_plain_fields(item) for value in self._values for item in _objects_with_answer(value)]


def _only_plain_field(source: str) -> str | None:
    """The answer field of a plain reply that has only one, without white space; None for all other replies.

    The word `answer` is in it once, and no escape or rare sign can stand for another one in any of its forms.
    """
    if source.count("answer") != 1 or _MAY_STAND_FOR_LETTERS.search(source):
        return None
    match = _PLAIN_FIELD.search(source)
    return f'"answer":{match[1]}' if match else None


@lru_cache(maxsize=64)
def _analyse(text: str) -> _Analysis:
    return _Analysis([form for form in decoded_forms(text) if _has_bracket(form)])


def _may_show_bracket(text: str) -> bool:
    """Whether a text can have a curly bracket in one of its forms: a quick sign, before the forms are made."""
    return "{" in text or "}" in text or not text.isascii() or "\\" in text or may_have_escapes(text)


def _has_bracket(text: str) -> bool:
    return "{" in text or "}" in text


def _with_placeholders(text: str, redacted: Mapping[str, str]) -> str:
    for placeholder, original in sorted(redacted.items(), key=lambda item: -len(item[1])):
        text = text.replace(original, placeholder)
    return text


def _pieces(field: str, source: str, position: int) -> list[str]:
    """The pieces of different length that a field forms with what is before it."""
    before = source[max(0, position - _CONTEXT) : position]
    closing = _CLOSING.search(before)
    return [f"{context}{field}" for context in (before, closing[0] if closing else "") if context]


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
