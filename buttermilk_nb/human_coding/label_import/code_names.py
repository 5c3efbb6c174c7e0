"""`CodeNames`: which question and answer a code of another program means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..._internal.markdown import code_list
from ...codebook.scales import YesNo
from ...errors import InvalidAnswer, SetupError, nearest
from ..coded_texts.coded_text import NO_LABEL, Code
from ..questionnaire import Question, Questionnaire

SEPARATOR = " > "
_SEPARATORS = re.compile(r"\s*(?:>|\\|/|:::|::|\|)\s*|:\s+")


class Meaning(NamedTuple):
    """A question and the answer to it, as the code has it."""

    question: Question
    answer: Any


class UnknownCode(NamedTuple):
    """The reason why a code means no answer."""

    problem: str
    name: str = ""
    """The code, as `codes` would name it."""


class CodeNames:
    """Finds the question and answer that a code means.

    A code that is called like a yes/no question means `yes`; one that is called like an answer of one question means
    that answer; one under another means an answer of the question that is called like the other one.

    Parameters
    ----------
    questionnaire
        The questions.
    codes
        What codes mean that are called otherwise: `{"Angst": "emotion: fear"}`; None for those that are left out.

    Raises
    ------
    SetupError
        `codes` names a question or answer that does not exist.
    """

    def __init__(self, questionnaire: Questionnaire, codes: Mapping[str, str | None] | None = None) -> None:
        self._questionnaire = questionnaire
        self._questions = {key.casefold(): questionnaire[key] for key in questionnaire.keys}
        for question in questionnaire:
            self._questions.setdefault(question.full_key.casefold(), question)
        self._declared: dict[str, Meaning | None] = {}
        for name, meaning in (codes or {}).items():
            found = None if meaning is None else self._of_declaration(str(meaning))
            if isinstance(found, UnknownCode):
                raise SetupError(f"codes={{{name!r}: {meaning!r}}}: {found.problem}.")
            self._declared[str(name).strip().casefold()] = found
        self._unused = set(self._declared)

    def find(self, code: Code) -> Meaning | UnknownCode | None:
        """The meaning of a code; None if it is to be left out."""
        path = tuple(name.strip() for name in code.path if name.strip())
        for name in (SEPARATOR.join(path), "/".join(path), path[-1] if path else ""):
            if name.casefold() in self._declared:
                self._unused.discard(name.casefold())
                return self._declared[name.casefold()]
        found = self._of_code(code, path)
        return found._replace(name=SEPARATOR.join(path)) if isinstance(found, UnknownCode) else found

    @property
    def unused(self) -> list[str]:
        """The names in `codes` that no code had."""
        return sorted(self._unused)

    def _of_code(self, code: Code, path: tuple[str, ...]) -> Meaning | UnknownCode:
        if code.answer is not None:
            question = self._question(path)
            return Meaning(question, code.answer) if question else UnknownCode(self._no_question(SEPARATOR.join(path)))
        found = self._of_names(path)
        if isinstance(found, UnknownCode) and len(parts := _split(path)) > len(path):
            inner = self._of_names(parts)
            return found if isinstance(inner, UnknownCode) else inner
        return found

    def find_all(self, code: Code) -> list[Meaning | UnknownCode | None]:
        """The meaning of a code, or of each feature of an annotation.

        Of two features, one may name a question and the other the answer to it.
        """
        if not code.features:
            return [self.find(code)]
        others = list(code.features)
        found: list[Meaning | UnknownCode | None] = []
        for feature in code.features:
            question = self._questions.get(feature[1].casefold())
            answer = next((f for f in others if f is not feature and question and is_answer(question, f[1])), None)
            if question and answer and feature in others:
                found.append(Meaning(question, answer[1]))
                others = [f for f in others if f not in (feature, answer)]
        return [*found, *(self.find(code._replace(path=(*code.path, *feature))) for feature in others)]

    def _of_declaration(self, text: str) -> Meaning | UnknownCode:
        """The meaning of `question`, `answer` or `question: answer`."""
        names = (text,) if text.casefold() in self._questions else tuple(text.rsplit(": ", 1))
        return self._of_names(names)

    def _question(self, names: tuple[str, ...]) -> Question | None:
        """The question that is called like these names together, or like the last one that is a question."""
        joined = self._questions.get(SEPARATOR.join(names).casefold())
        return joined or next((q for name in reversed(names) if (q := self._questions.get(name.casefold()))), None)

    def _of_names(self, names: tuple[str, ...]) -> Meaning | UnknownCode:
        if not names:
            return UnknownCode("the code has no name")
        last = names[-1]
        for n in range(len(names) - 1, 0, -1):
            question = self._question(names[:n])
            if question and is_answer(question, last):
                return Meaning(question, last)
        question = self._questions.get(SEPARATOR.join(names).casefold()) or self._questions.get(last.casefold())
        if question:
            if isinstance(question.criterion.scale, YesNo):
                return Meaning(question, "yes")
            answers = question.criterion.scale.shorthand
            return UnknownCode(f"`{question.key}` is a question ({answers}), and the code says no answer")
        questions = [q for q in self._questionnaire if last.casefold() in map(str.casefold, q.criterion.scale.answers)]
        if len(questions) == 1:
            return Meaning(questions[0], last)
        if questions:
            keys = code_list([q.key for q in questions])
            return UnknownCode(
                f"`{last}` is an answer to {keys}; codes={{{last!r}: '{questions[0].key}: {last}'}} says to which"
            )
        return UnknownCode(self._no_question(SEPARATOR.join(names)))

    def _no_question(self, name: str) -> str:
        names = [*self._questionnaire.keys, *(a for q in self._questionnaire for a in q.criterion.scale.answers)]
        hint = nearest(name, dict.fromkeys(names))
        return f"no question or answer is called `{name}`; {hint} If it means one, write codes={{{name!r}: '...'}}"


def _split(path: tuple[str, ...]) -> tuple[str, ...]:
    """The parts of names such as `emotion/fear`."""
    return tuple(part for name in path for part in _SEPARATORS.split(name) if part)


def is_answer(question: Question, answer: Any) -> bool:
    """Whether the question takes this as an answer."""
    if answer == NO_LABEL:
        return question.criterion.scale.level == "set"
    try:
        question.criterion.parse_code(answer)
    except InvalidAnswer:
        return False
    return True
