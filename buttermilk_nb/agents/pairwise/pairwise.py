"""`Pairwise`: which of two texts is better, asked in both orders.

Models favour a place: some the text that they read first, some the other. So each pair is asked twice, with the texts
in their places and with places changed, and answers are turned back: a score always speaks of `first` and `second`.
The two orders are designs of their own (`order` in `traces.params` and in ratings), and how often an answer changes
with them is a finding about the model (`order_bias`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from ..._internal.ids import canonical, uuid7
from ...codebook.criteria import Criteria
from ...corpus.record import Record
from ...errors import SetupError, nearest
from ...llm.calls.client import CallResult
from ...llm.calls.redaction import Redaction
from ...llm.model import Model, Params, Request
from ...llm.offline_input import OfflineInput, Task
from ...schema import TextRow, Unit
from ..ask_model import ask_and_parse
from ..base import NO_UPSTREAM, Cell, Context, Slot, UpstreamSlots
from ..config_files import default_prompt
from ..design import slot_design
from ..judge.answer_format import answer_format, answer_schema
from ..judge.judge import Judge
from ..judge.parse_scores import ParsedScores, scored_unit
from ..llm_agent import Agent
from ..prompt import Prompt
from ..units import Stopwatch
from .criterion_as_comparison import TEXT_NAMES, PairParser, as_comparison

if TYPE_CHECKING:
    from ...project.project import Project

Orders = Literal["both", "given"]
_ORDERS: dict[Orders, tuple[str, ...]] = {"both": ("given", "swapped"), "given": ("given",)}


class PairQuestion(NamedTuple):
    """What is asked of one pair in one order, prepared once a slot."""

    criteria: Criteria
    """As it was declared: with the cues and the flag, which models that answer by rule read."""
    shown_criteria: Criteria
    """As it is asked: answers are the names under which the texts are shown."""
    order: str
    schema: dict[str, Any]
    schema_row: TextRow
    params: Params
    redaction: Redaction | None


class Pairwise(Judge):
    """Shows two texts of a record and asks which is better under a criterion.

    Parameters
    ----------
    name
        The step's name; it becomes the value of the column `judge`.
    criteria
        A `Criteria` (or the path of a file) of one criterion, whose question says what *better* means. Its scale is
        put aside: answers are `first`, `second` and, with `ties`, `tie`. Its hash is that of the document with this
        scale, and does not change with the scale, flag and cues that it came with. A flag holds only where the scale
        it came with offers the same answers, `scale="first | second | tie"`.
    first, second
        The metadata fields that hold the two texts; `content` stands for the record's text. `pair` and `pairs` make
        such records. A record's text, where it is not one of the two, is shown as what both answer to.
    models, params, fallback, reask
        As in `Judge`.
    prompt
        Another prompt than the default; it uses `criteria`, `answer_format`, `about`, `text_a` and `text_b`.
    orders
        `both`: each pair is asked with the texts in their places and with places changed; `given`: once.
    ties
        Whether the two may be called equal.
    replicates
        How often each model is asked the same, in each order.

    Raises
    ------
    SetupError
        There are several criteria, or a record lacks one of the texts.

    Notes
    -----
    `reasons` and `conclusion` keep the model's own words, in which `Text A` is the text that it was shown first. The
    orders of one model are told apart in ratings as `(given order)` and `(swapped order)`; one verdict of both, and
    none where they differ, is what `Panel("both", of=...)` gives.

    References
    ----------
    Zheng, L. et al. 2023. Judging LLM-as-a-judge with MT-Bench and Chatbot Arena. NeurIPS 36 (position bias, and
    swapping against it). Zeng, Z. et al. 2024. Evaluating large language models at evaluating instruction following.
    ICLR (agreement of both orders).

    Examples
    --------
    >>> kinder = Criteria("kinder", "Which text speaks of people with more respect?")
    >>> Pairwise("compare", criteria=kinder, models="offline/strict")
    Pairwise('compare', criteria: kinder, models: offline/strict, orders: both, params: temperature=0)
    """

    kind: ClassVar[str] = "pairwise"
    task: ClassVar[Task] = "pairwise"
    template_variables: ClassVar[tuple[str, ...]] = ("record", "criteria", "answer_format", "about", "text_a", "text_b")

    prompt: Prompt = Field(default_factory=partial(default_prompt, "pairwise"))
    first: str = "first"
    second: str = "second"
    orders: Orders = "both"
    ties: bool = True
    repair_message: ClassVar[str] = (
        "Your reply could not be read: it is not the JSON object that was asked for, or it does not say which text is "
        "better in one of the words that were offered. Reply again, with that JSON object and nothing else."
    )  # part of the cache key of the second request, so its wording stays

    def __init__(
        self,
        name: str,
        *,
        criteria: Criteria | str | Path | Sequence[Criteria | str | Path] = (),
        first: str = "first",
        second: str = "second",
        models: str | Sequence[str] | None = None,
        prompt: Prompt | str | Path | None = None,
        orders: Orders = "both",
        ties: bool = True,
        replicates: int = 1,
        params: Mapping[str, Any] | None = None,
        fallback: str | Sequence[str] | None = None,
        reask: bool = True,
    ) -> None:
        super().__init__(
            name,
            criteria=criteria,
            models=models,
            prompt=prompt,
            replicates=replicates,
            params=params,
            fallback=fallback,
            reask=reask,
            first=first,
            second=second,
            orders=orders,
            ties=ties,
        )

    @model_validator(mode="after")
    def _check_pair(self) -> Self:
        if len(self.criteria) > 1 or len(self.criteria[0]) > 1:
            raise ValueError("texts are compared on one criterion at a time; make a step for each")
        if self.first == self.second:
            raise ValueError(f"first and second are both `{self.first}`; name two fields")
        return self

    def slots(self, project: Project, upstream: UpstreamSlots = NO_UPSTREAM) -> list[Slot]:  # asks of records
        (given,), (kept,), shown = self.criteria, self.criteria_documents(), self._shown_criteria()
        prompt, schema = self.prompt.prompt_hash, self._schema_row(shown)
        found = []
        for model in self.selected_models(project):
            params = self.params_of(model)
            for replicate in range(self.replicates):
                for order in _ORDERS[self.orders]:
                    design = slot_design(
                        self,
                        prompt=prompt,
                        criteria=kept.criteria_hash,
                        schema=schema.text_hash,
                        model=model.full_name,
                        params=params.sent,
                        replicate=replicate,
                        order=order,
                        **({} if self.reask else {"reask": False}),
                        **model.design_parts(given),
                        **self.redaction_parts(model, project),
                    )
                    question = PairQuestion(
                        given, shown, order, answer_schema(shown), schema, params, project.redaction
                    )
                    said = canonical({**params.sent, "order": order})
                    found.append(Slot(self, design, replicate, model, kept, prompt, said, question))
        return found

    async def run(self, cell: Cell, context: Context) -> Unit:
        watch, trace_id, question = Stopwatch(), uuid7(), cell.slot.prepared
        answer = await ask_and_parse(self, question, cell, trace_id, context)
        return scored_unit(cell, context, watch, trace_id, [answer])

    def parse(self, result: CallResult, question: Any, cell: Cell, trace_id: str, context: Context) -> ParsedScores:
        """The score in an answer: which text is better, about the texts in their own order."""
        parser = PairParser(cell, context.run_id, trace_id)
        return parser.parse_pair(question.shown, result, swapped=question.order == "swapped", ties=self.ties)

    def requests(self, cell: Cell) -> list[tuple[Request, int]]:
        assert cell.slot.model is not None
        return [(self.request(cell.slot.prepared, cell, cell.slot.model), 1)]

    def request(self, question: Any, cell: Cell, model: Model) -> Request:
        record = cell.record
        texts = self.texts_of(record)
        texts = texts[::-1] if question.order == "swapped" else texts
        values = {
            "criteria": question.shown,
            "answer_format": answer_format(question.shown),
            "record": record.view(),
            "about": "" if "content" in (self.first, self.second) else record.content,
            "text_a": texts[0],
            "text_b": texts[1],
        }
        return Request(
            model,
            self.prompt.render(values),
            params=question.params if model is cell.slot.model else self.params_of(model),
            schema_hash=question.schema.text_hash,
            schema=question.form,
            replicate=cell.slot.replicate,
            offline_input=OfflineInput(record, question.given, self.task, texts=texts, order=question.order),
            redaction=question.redaction,
        )

    def texts_of(self, record: Record) -> tuple[str, str]:
        """The two texts of a record, in their places.

        Raises
        ------
        SetupError
            The record lacks one of them.
        """
        texts = []
        for field in (self.first, self.second):
            text = record.content if field == "content" else record.metadata.get(field)
            if text is None or not str(text).strip():
                names = ["content", *record.metadata]
                raise SetupError(
                    f"step `{self.name}` compares `{self.first}` with `{self.second}`, and there is no text in "
                    f"`{field}`; {nearest(field, names)}"
                )
            texts.append(str(text))
        return texts[0], texts[1]

    def extra_input(self, record: Record) -> str:
        fields = [record.metadata.get(field) for field in (self.first, self.second) if field != "content"]
        return canonical([super().extra_input(record), self.first, self.second, fields])

    def problems(self, project: Project, records: Sequence[Record], needs: Sequence[str]) -> list[str]:
        problems = self.prompt.problems(self.template_variables)
        missing = [name for name in ("criteria", "text_a", "text_b") if name not in self.prompt.names]
        problems += [f"prompt `{self.prompt.name}` never shows `{name}`." for name in missing if not problems]
        if problems:
            return problems
        for model in [*self.selected_models(project), *self.fallback_models(project)]:
            for criteria in self.criteria_documents():
                problems += model.validate(criteria)
        problems += self._same_twice(project)
        return list(dict.fromkeys(problems + self._rendering_problems(project, records)))

    def criteria_documents(self) -> list[Criteria]:
        return [as_comparison(self.criteria[0], ("first", "second"), ties=self.ties)]

    def model_criteria(self) -> list[Criteria | None]:
        return [*self.criteria_documents()]

    def texts(self, slots: Sequence[Slot]) -> list[TextRow]:
        rows = [
            *Agent.texts(self, slots),
            *self.criteria_documents()[0].to_rows(),
            self._schema_row(self._shown_criteria()),
        ]
        return rows + (self.criteria[0].to_rows() if self.criteria[0].criteria[0].cues else [])

    def _shown_criteria(self) -> Criteria:
        return as_comparison(self.criteria[0], TEXT_NAMES, ties=self.ties)

    def to_plain(self, folder: Path | None) -> dict[str, Any]:
        plain: dict[str, Any] = {}
        if (self.first, self.second) != ("first", "second"):
            plain |= {"first": self.first, "second": self.second}
        if self.orders != "both":
            plain["orders"] = self.orders
        if not self.ties:
            plain["ties"] = False
        return {**plain, **super().to_plain(folder)}

    def __repr__(self) -> str:
        return (
            super()
            .__repr__()
            .replace("Judge(", "Pairwise(", 1)
            .replace(", params:", f", orders: {self.orders}, params:", 1)
        )

    __str__ = __repr__
