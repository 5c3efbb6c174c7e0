"""Choose the JSON object that is the model's own answer, among all objects in its reply.

An object that stands in a text that the model was shown is never its answer. If the remaining objects give different
answers, nothing says which one is meant, so the reply is invalid. The same holds for an answer that continues after its
own end, because a quotation mark in a quoted text has then closed one of its strings.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

from ..._internal.ids import canonical
from ..._internal.text import shorten
from ...errors import InvalidAnswer
from .find_json import JsonCandidate, loads
from .refusals import is_refusal_text
from .repair_object import MAX_REPAIRED, repair_object
from .shown_texts import ShownTexts

RAISE_MAX_TOKENS = "Raise `max_tokens` in the judge's params."
_WRAPPERS = ("arguments", "parameters", "input", "function", "tool_calls", "response", "output", "result", "json")
_FIELDS = frozenset({"answer", "reasons", "conclusion", "uncertainty"})
_KEY = re.compile(r'"[^"\n]{1,80}"\s*+:')
_OTHER_ANSWER = re.compile(
    r"(?:final|revised|corrected|correct|updated|new|actual|true|second|real)[ _-]?"
    r"(?:answer|verdict|label|rating|score)?",
    re.IGNORECASE,
)
"""Keys with which models correct the answer in the same entry."""
_CORRECTION = re.compile(
    r"\b(?:I (?:made|realis?ed|realized|have made) (?:a |an |my )?(?:mistake|error)|I was (?:wrong|mistaken)|"
    r"(?:correct(?:ed)?|right|final|revised) (?:answer|verdict|label) (?:is|should|would)|re-?evaluat\w+|"
    r"(?:on|upon) (?:second|further|closer) \w+|correction:|scratch that|(?:answer|it) should (?:have been|be)|"
    r"let me (?:correct|revise|reconsider)|ich (?:korrigiere|habe mich geirrt)|je (?:me )?corrige|me corrijo)",
    re.IGNORECASE,
)
_LIST_OF_TEXTS = re.compile(r'\[\s*"[^"\n]{1,80}"(?:\s*,\s*"[^"\n]{1,80}")*\s*\]')


class AnswerAfterRefusal(InvalidAnswer):
    """The model declines first, and answers then."""


def choose_object(
    text: str, candidates: Sequence[JsonCandidate], expected_keys: Collection[str], shown: ShownTexts
) -> dict[str, Any] | None:
    """The model's own answer among the objects in a text; None if there is no object.

    Parameters
    ----------
    text
        The model's reply.
    candidates
        The objects in it, after its thinking.
    expected_keys
        Objects with one of these keys count; if none has one, all count.
    shown
        The texts that the model was shown.

    Raises
    ------
    InvalidAnswer
        The reply is cut off, contradicts itself, repeats an answer of a shown text, or declines first.
    """
    _reject_truncated(text, candidates)
    values = _values(text, candidates)
    objects = [
        (candidate, answer)
        for candidate, value in zip(candidates, values, strict=True)
        if (answer := _unwrap(value, expected_keys))
    ]
    expected = [(candidate, answer) for candidate, answer in objects if any(key in answer for key in expected_keys)]
    own = [
        (candidate, answer)
        for candidate, answer in expected or objects
        if not shown.contain_answer(text[candidate.start : candidate.end], answer)
    ]
    if not own:
        if objects:
            raise InvalidAnswer("its only answer stands word for word in the text that the model was shown.")
        return None
    first, answer = own[0]
    if first.value is None and shown.share_object_with(text[first.start : first.end]):
        raise InvalidAnswer("the answer contains an answer that stands word for word in the text that was shown.")
    if any(_answers_of(other) != _answers_of(answer) for _, other in own[1:]):
        raise InvalidAnswer("the answer gives several objects with different answers.")
    if _has_other_answers(answer, expected_keys):
        raise InvalidAnswer("the answer gives answers at several places, so it is not clear which one is meant.")
    if _continues(text, first, candidates):
        raise InvalidAnswer("the answer continues after its end, so it is not clear which answer is meant.")
    if is_refusal_text(text[: candidates[0].start]):
        raise AnswerAfterRefusal("the model declines first, and answers then.")
    return answer


def _reject_truncated(text: str, candidates: Sequence[JsonCandidate]) -> None:
    if candidates and candidates[-1].state == "truncated":
        end = shorten(text[-60:], 60)
        raise InvalidAnswer(
            f"the answer was cut off: it ends in the middle of its JSON, at `{end}`. {RAISE_MAX_TOKENS}"
        )


def _values(text: str, candidates: Sequence[JsonCandidate]) -> list[Any]:
    """The values of the objects; those that are not strict JSON are repaired, the last ones first."""
    values: list[Any] = []
    repairable = MAX_REPAIRED
    for candidate in reversed(candidates):
        if candidate.contradiction:
            key = shorten(candidate.contradiction, 40)
            raise InvalidAnswer(f"the answer gives `{key}` twice, with different values.")
        value, length = candidate.value, candidate.end - candidate.start
        if value is None and candidate.state != "malformed" and length <= repairable:
            repairable -= length
            value = repair_object(text[candidate.start : candidate.end])
        values.append(value)
    return values[::-1]


def _continues(text: str, chosen: JsonCandidate, candidates: Sequence[JsonCandidate]) -> bool:
    """Whether more of an answer follows the chosen object: keys and closing brackets, a list, or a correction."""
    rest, position = [], chosen.end
    for candidate in candidates:
        if candidate.start >= chosen.end:
            rest.append(text[position : candidate.start])
            position = candidate.end
    tail = "".join([*rest, text[position:]])
    if not tail.strip(" \t\r\n`"):
        return False
    if tail.count("}") > tail.count("{") and _KEY.search(tail):
        return True
    return bool(_CORRECTION.search(tail) or _LIST_OF_TEXTS.search(tail))


def _answers_of(answer: dict[str, Any]) -> str:
    """What two objects must share so that they give the same answers; comments on them may differ."""
    entries = answer.get("criteria", answer)
    if isinstance(entries, dict) and "answer" in entries:
        return canonical(entries["answer"])
    if isinstance(entries, dict) and any(isinstance(entry, dict) and "answer" in entry for entry in entries.values()):
        return canonical(
            {name: entry.get("answer") if isinstance(entry, dict) else entry for name, entry in entries.items()}
        )
    return canonical(entries)


def _unwrap(value: Any, expected_keys: Collection[str], depth: int = 4) -> dict[str, Any]:
    """The answer inside a tool call or another wrapper object; else the object itself."""
    if not isinstance(value, dict) or any(key in value for key in expected_keys) or not depth:
        return value if isinstance(value, dict) else {}
    answers = []
    for wrapper in _WRAPPERS:
        inside = value.get(wrapper)
        inside = inside[0] if isinstance(inside, list) and len(inside) == 1 else inside
        if isinstance(inside, str) and inside.lstrip().startswith("{"):
            try:
                inside = loads(inside)
            except ValueError:
                continue
        answer = _unwrap(inside, expected_keys, depth - 1)
        if any(key in answer for key in expected_keys):
            answers.append(answer)
    if any(_answers_of(answer) != _answers_of(answers[0]) for answer in answers):
        raise InvalidAnswer("the answer gives several objects with different answers.")
    return answers[0] if answers else value


def _has_other_answers(answer: dict[str, Any], expected_keys: Collection[str]) -> bool:
    """Whether an object gives an answer also outside the places where one is expected, or another one there."""
    if (
        len(answer) == 1
        and isinstance(entries := answer.get("criteria"), dict)
        and all(map(_is_plain, entries.values()))
    ):
        return False  # the form that was asked for, and nothing else
    if _differ_at_two_places(answer, expected_keys):
        return True
    others = [item for key, item in answer.items() if key not in expected_keys and key not in _FIELDS]
    for entry in _entries(answer):
        for key, item in entry.items():
            if key in _FIELDS or key in expected_keys:
                continue
            if not isinstance(item, dict | list) and _OTHER_ANSWER.fullmatch(str(key)) and item != entry["answer"]:
                return True
            others.append(item)
    while others:
        item = others.pop()
        if isinstance(item, dict):
            if "answer" in item:
                return True
            others += item.values()
        elif isinstance(item, list):
            others += item
    return False


def _is_plain(entry: object) -> bool:
    """Whether an entry has only the fields that were asked for."""
    return isinstance(entry, dict) and entry.keys() <= _FIELDS


def _entries(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Every object in an answer that has an `answer` at one of the usual places."""
    inside = answer.get("criteria")
    places = [answer, *answer.values(), *(inside.values() if isinstance(inside, dict) else [])]
    return [place for place in places if isinstance(place, dict) and "answer" in place]


def _differ_at_two_places(answer: dict[str, Any], expected_keys: Collection[str]) -> bool:
    """Whether `criteria` and another key of the object answer the same question, and differ."""
    inside = answer.get("criteria")
    if not isinstance(inside, dict):
        return False
    answers = {name: entry.get("answer") if isinstance(entry, dict) else entry for name, entry in inside.items()}
    for key in expected_keys:
        if key == "criteria" or key not in answer:
            continue
        other = answer[key].get("answer") if isinstance(answer[key], dict) else answer[key]
        if key in answers:
            known = answers[key]
        elif key == "answer":
            known = next(iter(answers.values())) if len(answers) == 1 else None
        else:
            continue
        if known != other:
            return True
    return False
