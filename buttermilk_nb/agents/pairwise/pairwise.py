"""`Pairwise`: asks which of two texts is better, in both orders.

Models prefer a position: some prefer the text that they read first, others the second. So each pair is shown twice,
in the given and in the swapped order, and answers to the swapped order are swapped back: a score is always about
`first` and `second`. The two orders are separate designs (`order` in `traces.params` and in ratings). How often an
answer changes with the order is a result about the model (`order_bias`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from ..._internal.arguments import check_argument_names
from ..._internal.ids import canonical, uuid7
from ...codebook.criteria import Criteria
from ...corpus.record import Record
from ...errors import SetupError, nearest
from ...llm.calls.client import CallResult
from ...llm.calls.redaction import Redaction
from ...llm.model import Model, Request
from ...llm.offline_input import OfflineInput, Task
from ...llm.params import Params
from ...schema import TextRow, Unit
from ..ask_model import ask_and_parse
from ..base import NO_UPSTREAM, Cell, Context, Slot, UpstreamSlots
from ..check_agent import rendering_problems
from ..config_files import default_prompt
from ..judge.answer_format import answer_format, answer_schema
from ..judge.judge import Judge
from ..judge.parse_scores import ParsedScores, scored_unit
from ..llm_agent import Agent
from ..prompt import BoundPrompt, Prompt
from ..units import Stopwatch
from .criterion_as_comparison import TEXT_NAMES, PairParser, as_comparison

if TYPE_CHECKING:
    from ...project.project import Project

Orders = Literal["both", "given"]
_ORDERS: dict[Orders, tuple[str, ...]] = {"both": ("given", "swapped"), "given": ("given",)}


class PairQuestion(NamedTuple):
    """The prepared question on pairs in one order; the same for every record."""

    criteria: Criteria
    """The criteria as declared, with the cues and the flag, which offline models read."""
    shown_criteria: Criteria
    """The criteria as shown: the answers are the shown names of the texts."""
    bound_prompt: BoundPrompt
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
        A `Criteria`, or the path of a file, with one criterion. Its question says what *better* means. Its scale is
        replaced: the answers are `first`, `second` and, with `ties`, `tie`. The hash is that of the document with
        this scale, so it does not depend on the declared scale, flag and cues. A flag is only used if the declared
        scale has the same answers, `scale="first | second | tie"`.
    first, second
        The metadata fields with the two texts; `content` means the record's text. `Record.pair` and `Corpus.pairs`
        make such records. If the record's text is not one of the two, it is shown as the text that both respond to.
    models, params, fallback, reask
        As in `Judge`.
    prompt
        A prompt instead of the default; it uses `criteria`, `answer_format`, `about`, `text_a` and `text_b`.
    orders
        `both`: each pair is shown in the given and in the swapped order; `given`: only in the given order.
    ties
        Whether `tie` is an allowed answer.
    replicates
        How often each model gets the same request, in each order; by default once.

    Raises
    ------
    SetupError
        There are several criteria, or one of the texts is missing in a record.

    Notes
    -----
    `reasons` and `conclusion` keep the model's own words, in which `Text A` is the text that was shown first. In
    ratings, the orders of one model are marked as `(given order)` and `(swapped order)`. For one verdict from both
    orders, and no verdict if they differ, use `Panel("both", of=...)`.

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
    )  # part of the cache key of the second request, so its wording must not change

    @check_argument_names
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
            raise ValueError("a comparison takes one criterion; make a step for each criterion")
        if self.first == self.second:
            raise ValueError(f"first and second are both `{self.first}`; name two fields")
        return self

    def slots(self, project: Project, upstream: UpstreamSlots = NO_UPSTREAM) -> list[Slot]:  # reads records only
        slots = []
        for model in self.selected_models(project):
            by_order = [self._order_slots(project, model, order) for order in _ORDERS[self.orders]]
            slots += [slot for replicate_slots in zip(*by_order, strict=True) for slot in replicate_slots]
        return slots

    def _order_slots(self, project: Project, model: Model, order: str) -> list[Slot]:
        """The slots of one model in one order: one for each replicate."""
        (criteria,), (document,), shown_criteria = self.criteria, self.criteria_documents(), self._shown_criteria()
        params, schema_row = self.params_of(model), self._schema_row(shown_criteria)
        bound = BoundPrompt(self.prompt, {"criteria": shown_criteria, "answer_format": answer_format(shown_criteria)})
        schema = answer_schema(shown_criteria)
        question = PairQuestion(criteria, shown_criteria, bound, order, schema, schema_row, params, project.redaction)
        slots = self.model_slots(
            project,
            model,
            question,
            document,
            cues=criteria,
            criteria=document.criteria_hash,
            schema=schema_row.text_hash,
            order=order,
            reask=self.reask,
        )
        params_json = canonical({**params.sent, "order": order})
        return [slot._replace(params=params_json) for slot in slots]

    async def run(self, cell: Cell, context: Context) -> Unit:
        watch, trace_id, question = Stopwatch(), uuid7(), cell.slot.prepared
        answer = await ask_and_parse(self, question, cell, trace_id, context)
        return scored_unit(cell, context, watch, trace_id, [answer])

    def parse(self, result: CallResult, question: Any, cell: Cell, trace_id: str, context: Context) -> ParsedScores:
        """The score in an answer: which text is better, with the texts in the given order."""
        parser = PairParser(cell, context.run_id, trace_id)
        return parser.parse_pair(question.shown_criteria, result, swapped=question.order == "swapped", ties=self.ties)

    def requests(self, cell: Cell) -> list[tuple[Request, int]]:
        assert cell.slot.model is not None
        return [(self.request(cell.slot.prepared, cell, cell.slot.model), 1)]

    def request(self, question: Any, cell: Cell, model: Model) -> Request:
        record = cell.record
        texts = self.texts_of(record)
        texts = texts[::-1] if question.order == "swapped" else texts
        about = "" if "content" in (self.first, self.second) else record.content
        return Request(
            model,
            question.bound_prompt.render(record.view(), about=about, text_a=texts[0], text_b=texts[1]),
            params=question.params if model is cell.slot.model else self.params_of(model),
            schema_hash=question.schema_row.text_hash,
            schema=question.schema,
            replicate=cell.slot.replicate,
            offline_input=OfflineInput(record, question.criteria, self.task, texts=texts, order=question.order),
            redaction=question.redaction,
        )

    def texts_of(self, record: Record) -> tuple[str, str]:
        """The two texts of a record, in the given order.

        Raises
        ------
        SetupError
            One of them is missing.
        """
        texts = []
        for field in (self.first, self.second):
            text = record.content if field == "content" else record.metadata.get(field)
            if text is None or not str(text).strip():
                names = ["content", *record.metadata]
                raise SetupError(
                    f"step `{self.name}` compares `{self.first}` with `{self.second}`, but there is no text in "
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
        problems += self.model_problems(project) + rendering_problems(self, project, records)
        return list(dict.fromkeys(problems))

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
