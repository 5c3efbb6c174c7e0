"""`Scale`: the base of all scales, with instruction, schema, parser, level and flags.

The parser matches a raw answer only against the offered answers, as whole words. So it accepts `"Yes."`, and a text
in a record cannot dictate a verdict in passing. A text that only looks like an answer is not one: `non-hateful` and
`not hateful` are not `hateful`, `1-5` is not `1`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from ...errors import InvalidAnswer, SetupError, nearest
from .answer import NON_ANSWERS, Answer
from .flags import flag_parts
from .form_control import FormControl
from .match_answer import exact_match, find_answer, normalise

Level = Literal["nominal", "ordinal", "interval", "ratio", "set"]
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
        """The answer in `raw`; None if it contains none of the offered answers."""

    def parse(self, raw: object, non_answers: Sequence[str] = ()) -> Answer:
        """Match a raw answer against the offered answers.

        Parameters
        ----------
        raw
            The raw answer: a text, number, boolean or list.
        non_answers
            The non-answers that the criterion allows; by default none.

        Returns
        -------
        Answer
            The answer that matches.

        Raises
        ------
        InvalidAnswer
            `raw` is not one of the offered answers, or names several of them.

        Examples
        --------
        >>> make_scale("yes/no").parse("Yes.")
        Answer(value=1.0, category='yes')
        >>> make_scale("yes/no").parse("Cannot tell", ["cannot tell"])
        Answer(value=None, category='cannot tell')
        """
        if isinstance(raw, str) and raw not in self.answers and (non_answer := exact_match(raw, non_answers)):
            return Answer(None, non_answer)
        try:
            answer = self._match(raw)
        except (ValueError, OverflowError, RecursionError):
            answer = None  # a number that is too long to print, or a list that is nested too deeply
        if answer is None or (
            isinstance(raw, str) and not exact_match(raw, self.answers) and find_answer(raw, NON_ANSWERS)
        ):
            offered = ", ".join(self.answers + tuple(non_answers)) or self.shorthand
            raise InvalidAnswer(f"the answer {_short_repr(raw)} is not one of: {offered}")
        return answer

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

    def parse_code(self, raw: object, non_answers: Sequence[str] = ()) -> Answer:
        """Parse a person's code, which must be an answer itself: `no idea` is not `no`, as it might be for a model.

        Raises
        ------
        InvalidAnswer
            The code is not one of the answers.

        Examples
        --------
        >>> make_scale("yes/no").parse_code(" Yes ").category
        'yes'
        """
        if isinstance(raw, str) and not exact_match(raw, NON_ANSWERS):
            for part in self._code_parts(raw):
                if exact_match(part, self.answers) is None:
                    nearest_name = nearest(part, (*self.answers, *NON_ANSWERS))
                    raise InvalidAnswer(f"{part!r:.60} is not one of the answers; {nearest_name}")
        return self.parse(raw, non_answers)

    def _code_parts(self, raw: str) -> Sequence[str]:
        """The parts of a code, each of which must be an answer."""
        return [raw]

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
        if raw in self.answers:
            name: str | None = str(raw)
        else:
            name = find_answer(str(raw), self.answers) if isinstance(raw, str | int | float) else None
        return None if name is None else Answer(self._number(name), name)

    def _number(self, name: str) -> float | None:  # noqa: ARG002  # the scales with numbers use it
        return None

    def answer_schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.answers)}


def make_scale(spec: str | Scale | dict[str, Any]) -> Scale:
    """Make a scale from its short form, a mapping with `kind`, or a scale.

    Parameters
    ----------
    spec
        `"yes/no"`, `"1-5"`, `"0..1"`, `"hope | fear | neither"`, `"labels: mockery | appeal"`, or a
        mapping such as `{"kind": "likert", "low": 1, "high": 5, "labels": {1: "calm"}}`.

    Raises
    ------
    SetupError
        The text is not a short form, the kind is unknown, or a field is invalid.

    Examples
    --------
    >>> make_scale("1-5").level
    'ordinal'
    """
    if isinstance(spec, Scale):
        return spec
    if isinstance(spec, dict):
        kind = str(spec.get("kind", ""))
        if kind not in Scale.kinds:
            raise SetupError(f"there is no kind of scale `{kind}`; {nearest(kind, Scale.kinds)}")
        try:
            return Scale.kinds[kind].model_validate(spec)
        except ValueError as error:
            raise SetupError(f"scale `{kind}`: {_first_message(error)}.") from error
    for scale_class in Scale.kinds.values() if isinstance(spec, str) else ():
        try:
            if scale := scale_class.from_shorthand(spec):
                return scale
        except ValueError as error:
            raise SetupError(f"scale `{spec}`: {_first_message(error)}.") from error
    raise SetupError(
        f"`{spec}` is not a scale. Write `yes/no`, `1-5`, `0..1`, `one | two | three` or `labels: one | two`."
    )


def _first_message(error: ValueError) -> str:
    errors = getattr(error, "errors", None)
    if not errors:
        return str(error)
    first = errors()[0]
    field = ".".join(str(part) for part in first["loc"])
    message = str(first["msg"]).removeprefix("Value error, ")
    return f"`{field}`: {message}" if field else message


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
