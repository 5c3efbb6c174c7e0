"""`Criterion`: one question with its scale and its codebook entry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ..errors import nearest
from .scales import NON_ANSWERS, Answer, Scale, make_scale


class Criterion(BaseModel):
    """One question with its scale.

    Parameters
    ----------
    name
        A short name; it becomes the value of the column `criterion`.
    question
        The question, as the judge reads it.
    scale
        The allowed answers; see `buttermilk_nb.codebook.scales.make_scale` for the short forms. `yes/no` by default.
    flag
        The answers that count as the finding: `"no"`, `"fear | anger"`, `">= 4"`. By default there is no flag.
    definition, include, exclude, examples
        The codebook entry: the definition, what to include and exclude, and examples for each answer.
    non_answers
        Which of `not applicable` and `cannot tell` are allowed as answers; by default neither.
    cues
        Words and phrases that speak for an answer; `*` at the end is a wildcard. Only the offline models
        read them; they are never sent anywhere. A plain list means cues for `yes`.

    Examples
    --------
    >>> Criterion(name="respect", question="Is it respectful?", flag="no").scale.shorthand
    'yes/no'
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    question: str
    scale: Scale = Field(default_factory=lambda: make_scale("yes/no"))
    flag: str | None = None
    definition: str = ""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    examples: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    non_answers: tuple[str, ...] = ()
    cues: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    @field_validator("scale", mode="before")
    @classmethod
    def _parse_scale(cls, value: Any) -> Any:
        return make_scale(value)

    @field_validator("flag", mode="before")
    @classmethod
    def _flag_as_text(cls, value: Any) -> Any:
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, list | tuple):
            return " | ".join(str(part) for part in value)
        return None if value is None else str(value)

    @field_validator("include", "exclude", "non_answers", mode="before")
    @classmethod
    def _as_list(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @field_validator("examples", "cues", mode="before")
    @classmethod
    def _texts_by_answer(cls, value: Any) -> Any:
        if isinstance(value, list | tuple):
            value = {"yes": value}
        if not isinstance(value, Mapping):
            return value
        return {str(key): [part] if isinstance(part, str) else part for key, part in value.items()}

    @model_validator(mode="after")
    def _check_consistency(self) -> Self:
        if not self.name.strip() or not self.question.strip():
            raise ValueError("a criterion needs a name and a question")
        if self.flag is not None and (problem := self.scale.flag_problem(self.flag)):
            raise ValueError(problem)
        for non_answer in self.non_answers:
            if non_answer not in NON_ANSWERS:
                raise ValueError(f"`{non_answer}` is not a non-answer; {nearest(non_answer, NON_ANSWERS)}")
        for field in ("examples", "cues"):
            for answer in getattr(self, field):
                if self.scale.answers and answer not in self.scale.answers:
                    raise ValueError(f"{field} for `{answer}`: {nearest(answer, self.scale.answers)}")
                if not self.scale.answers and not _is_number(answer):
                    raise ValueError(f"{field} for `{answer}`: name a number of the scale {self.scale.shorthand}")
        return self

    def parse(self, raw: object) -> Answer:
        """Match a raw answer against the allowed answers; raises InvalidAnswer if it matches none of them."""
        return self.scale.parse(raw, self.non_answers)

    def parse_code(self, raw: object) -> Answer:
        """Match a person's code with the answers; people may give every non-answer. Raises InvalidAnswer otherwise."""
        return self.scale.parse_code(raw)

    def flagged(self, answer: Answer) -> bool | None:
        """Whether the answer is the declared finding; None without a flag or an answer."""
        return self.scale.flagged(answer, self.flag)

    @property
    def sentence(self) -> str:
        """The instruction to the judge on how to answer, with the allowed non-answers."""
        non_answers = " or ".join(f'"{name}"' for name in self.non_answers)
        return self.scale.instruction() + (f" Where that is impossible, answer {non_answers}." if non_answers else "")

    def answer_schema(self) -> dict[str, Any]:
        """The JSON schema of the answer alone, with the allowed non-answers."""
        scale_schema = self.scale.answer_schema()
        return (
            {"anyOf": [scale_schema, {"type": "string", "enum": list(self.non_answers)}]}
            if self.non_answers
            else scale_schema
        )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
