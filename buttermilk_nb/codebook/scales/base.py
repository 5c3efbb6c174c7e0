"""`Scale`: the base of all scales, with instruction, schema, parser, level and flags.

An answer is matched as a whole. A text that only contains an answer is not one: `not hateful`, `hardly hateful` and
`hateful or neutral` are not `hateful`, `1-5` is not `1`. What is taken besides the answer itself is listed in
`Scale.answer_forms`.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from ...errors import InvalidAnswer, nearest
from .answer import NON_ANSWERS, Answer
from .flags import flag_parts
from .form_control import FormControl
from .match_answer import exact_match, match_wrapped, normalise, only_item, plain_scalar

if TYPE_CHECKING:
    import pandas as pd

Level = Literal["nominal", "ordinal", "interval", "ratio", "set"]
_WHOLE_NUMBER = re.compile(r"(-?\d+)\.0+", re.ASCII)  # whole numbers in a pandas column that has gaps
OfflineRule = Literal["most cues", "mean of cues", "every cue"]


class Scale(BaseModel, ABC):
    """Base of all scales. Use one of the subclasses, or a short form such as `"yes/no"`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kinds: ClassVar[dict[str, type[Scale]]] = {}

    kind: str
    level: ClassVar[Level]
    offline_rule: ClassVar[OfflineRule] = "most cues"
    """How the offline models derive an answer from the cues in a text."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if isinstance(kind := cls.model_fields["kind"].default, str):  # NamedScale has no kind
            Scale.kinds[kind] = cls

    @classmethod
    @abstractmethod
    def from_shorthand(cls, text: str) -> Scale | None:
        """Read the short form; None if the text is not a short form of this scale."""

    @property
    @abstractmethod
    def shorthand(self) -> str:
        """The short form."""

    @property
    @abstractmethod
    def answers(self) -> tuple[str, ...]:
        """The names of the answers; empty for a continuous scale."""

    @abstractmethod
    def instruction(self) -> str:
        """The instruction to the judge on how to answer."""

    @abstractmethod
    def answer_schema(self) -> dict[str, Any]:
        """The JSON schema of the answer alone."""

    @abstractmethod
    def _match(self, raw: object) -> Answer | None:
        """The answer that `raw` is, as people and models write it; None if it is none of the offered answers."""

    def _match_text(self, text: str) -> Answer | None:
        """The answer that a model's text is, in a form that people's codes do not have; by default none."""
        return self._match(text)

    def parse(self, raw: object, non_answers: Sequence[str] = ()) -> Answer:
        """Match a model's answer with the offered answers.

        Parameters
        ----------
        raw
            The raw answer: a text, number, boolean, list, or mapping.
        non_answers
            The non-answers that the criterion allows; by default none.

        Returns
        -------
        Answer
            The answer that matches. `answer_forms` lists the forms that are taken.

        Raises
        ------
        InvalidAnswer
            `raw` is not one of the offered answers, or names several of them.

        Examples
        --------
        >>> from buttermilk_nb.codebook.scales import make_scale
        >>> make_scale("yes/no").parse("Yes.")
        Answer(value=1.0, category='yes', note=None)
        >>> make_scale("yes/no").parse("Cannot tell", ["cannot tell"]).category
        'cannot tell'
        """

        def match(text: str) -> Answer | None:
            if text not in self.answers and (non_answer := exact_match(text, non_answers)):
                return Answer(None, non_answer)
            return self._match(text) or self._match_text(text)

        answer = self._matched(raw, match_text=lambda text: match_wrapped(text, match))
        if answer is None:
            raise InvalidAnswer(f"the answer {_short_repr(raw)} is not one of: {self._offered(non_answers)}")
        return answer

    def parse_code(self, raw: object, non_answers: Sequence[str] = NON_ANSWERS) -> Answer:
        """Match a person's code with the answers. Blanks at the ends, case and Unicode form are ignored, nothing else.

        Parameters
        ----------
        raw
            The code: a text, number, boolean or list.
        non_answers
            The non-answers that the person may give; by default all.

        Raises
        ------
        InvalidAnswer
            The code is not one of the answers.

        Examples
        --------
        >>> from buttermilk_nb.codebook.scales import make_scale
        >>> make_scale("yes/no").parse_code(" Yes ").category
        'yes'
        >>> make_scale("1-5").parse_code("2.0").category
        '2'
        """

        def match(text: str) -> Answer | None:
            if text not in self.answers and (non_answer := exact_match(text, non_answers)):
                return Answer(None, non_answer)
            return self._match(text)

        answer = self._matched(raw, match_text=match)
        if answer is None:
            names = (*self.answers, *non_answers)
            hint = nearest(raw.strip(), names) if isinstance(raw, str) and self.answers else ""
            hint = hint or f"the answers are: {self._offered(non_answers)}"
            raise InvalidAnswer(f"{_short_repr(raw)} is not one of the answers; {hint}")
        return answer

    def _matched(self, raw: object, match_text: Callable[[str], Answer | None]) -> Answer | None:
        try:
            raw = plain_scalar(raw if self.level == "set" else only_item(raw))
            return match_text(raw) if isinstance(raw, str) else self._match(raw)
        except (ValueError, OverflowError, RecursionError):
            return None  # a number that is too long to print, or a list that is nested too deeply

    def _offered(self, non_answers: Sequence[str]) -> str:
        return ", ".join([*(self.answers or (self.shorthand,)), *non_answers])

    def answer_forms(self) -> pd.DataFrame:
        """The forms in which a model may write its answer, and those that are not taken, with an example of each.

        Returns
        -------
        DataFrame
            One row per form: `form`, `example`, and the answer that it is `read_as` (`invalid` if it is not taken).

        Examples
        --------
        >>> from buttermilk_nb.codebook.scales import make_scale
        >>> forms = make_scale("1-5").answer_forms().set_index("form").read_as
        >>> forms["the same in words"], forms["a range"]
        ('4', 'invalid')
        """
        import pandas as pd

        rows = [(form, example, self._read_as(example)) for form, example in self.form_examples()]
        return pd.DataFrame(rows, columns=["form", "example", "read_as"])

    def form_examples(self) -> list[tuple[str, object]]:
        """The rows of `answer_forms`: a form, and an example of it."""
        first, second = self.answers[0], self.answers[-1]
        return [
            ("the answer itself", first),
            ("in capital letters", first.upper()),
            ("with closing punctuation, quotation marks or Markdown", f"**{first}**."),
            ("in brackets, a box or a tag", f"\\boxed{{{first}}}"),
            ("after a lead-in", f"The answer is: {first}"),
            ("in a list of one", [first]),
            ("a non-answer that the criterion allows", NON_ANSWERS[1]),
            ("negated", f"not {first}"),
            ("hedged", f"probably {first}"),
            ("with an explanation", f"{first}, because it says so"),
            ("several answers", f"{first} or {second}"),
        ]

    def _read_as(self, example: object) -> str:
        try:
            answer = self.parse(example, NON_ANSWERS)
        except InvalidAnswer:
            return "invalid"
        return answer.category if answer.category is not None else f"{answer.value:g}"

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The least and the greatest number; None if the answers are not numbers."""
        return None

    def nearest_answer(self, number: float) -> Any:  # noqa: ARG002  # for scales of numbers
        """The answer nearest to a number, as a model would write it."""
        raise TypeError(f"the answers on {self.shorthand} are not numbers")

    def form_control(self) -> FormControl:
        """How people give an answer, in the coding form and on a coding sheet."""
        return FormControl()

    def flag_problem(self, flag: str) -> str | None:
        """What is wrong with a flag on this scale, or None."""
        unknown = [part for part in flag_parts(flag) if part not in self.answers]
        if unknown:
            return f"flag `{flag}` names `{unknown[0]}`, which is not an answer; {nearest(unknown[0], self.answers)}"
        return None

    def flagged(self, answer: Answer, flag: str | None) -> bool | None:
        """Whether the answer meets the flag; None without a flag or an answer.

        Examples
        --------
        >>> from buttermilk_nb.codebook.scales import make_scale
        >>> make_scale("1-5").flagged(Answer(4.0, "4"), ">= 4")
        True
        >>> make_scale("yes/no").flagged(Answer(None, "cannot tell"), "no") is None
        True
        """
        if flag is None or answer.category is None or answer.is_non_answer:
            return None
        return answer.category in flag_parts(flag)

    def __str__(self) -> str:
        return self.shorthand


class NamedScale(Scale):
    """Base of the scales with named answers."""

    def _match(self, raw: object) -> Answer | None:
        if not isinstance(raw, str | int | float):
            return None
        name = exact_match(str(raw), self.answers)
        if name is None and (whole := _WHOLE_NUMBER.fullmatch(str(raw).strip())):
            name = exact_match(whole[1], self.answers)
        return None if name is None else Answer(self._number(name), name)

    def _number(self, name: str) -> float | None:  # noqa: ARG002  # the scales with numbers use it
        return None

    def answer_schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.answers)}


def check_names(names: tuple[str, ...], plural: str) -> None:
    """Raise ValueError if two names differ only in case, or if one looks like a comparison."""
    if not names:
        raise ValueError(f"there are no {plural}")
    if len({normalise(name) for name in names}) != len(names):
        raise ValueError(f"two {plural} differ only in case")
    for name in names:
        if not normalise(name) or name.startswith(("<", ">", "=")):
            raise ValueError(f"`{name}` cannot be one of the {plural}")


def _short_repr(raw: object) -> str:
    try:
        return f"{raw!r:.80}"
    except (ValueError, RecursionError):
        return f"of type {type(raw).__name__}"
