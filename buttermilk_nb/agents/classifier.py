"""`Classifier`: a function or a fitted estimator as a judge, next to language models.

A language model should beat the baseline that a study already has: a trained scikit-learn pipeline, a dictionary, or
a function. The answers of a classifier are scores like those of any judge, on the same scale and in the same
statistics.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import field_validator

from .._internal.arguments import check_argument_names
from .._internal.ids import uuid7
from ..codebook.criteria import Criteria
from ..codebook.criterion import Criterion
from ..codebook.scales import Answer
from ..errors import InvalidAnswer, SetupError
from ..schema import Score, Status, TextRow, Unit
from .base import NO_UPSTREAM, AgentBase, Cell, Context, Slot, UpstreamSlots
from .config_files import load_criteria, look_up_registered
from .design import slot_design
from .function_agent import function_threads, source_hash
from .units import Stopwatch, make_unit

if TYPE_CHECKING:
    from ..project.project import Project


class Classifier(AgentBase):
    """A function or a fitted scikit-learn estimator that answers criteria.

    Parameters
    ----------
    name
        The step's name; it becomes the value of the columns `judge` and `model`.
    predict
        A function that takes a text and returns its answer; or an object with a method `predict` that takes a list of
        texts, such as a fitted pipeline. For several criteria it returns a mapping from criterion to answer.
    criteria
        A `Criteria`, or the path of a criteria file.
    version
        The version of the classifier; change it when you train it again. It is needed for an object with `predict`,
        because its parameters cannot be read; for a function, the default is the hash of its source.

    Raises
    ------
    SetupError
        `predict` cannot predict, or is an estimator without a version.

    Notes
    -----
    It runs in a thread, one text at a time. Its answers are not cached, because predicting again costs nothing. An
    answer that is not on the scale is `invalid`. A flow file can only name a classifier that your program has made.

    Examples
    --------
    >>> calm = Criteria("calm", "Is the text calm?", flag="no")
    >>> Classifier("shouting", lambda text: "no" if "!" in text else "yes", criteria=calm, version="1")
    Classifier('shouting', criteria: calm, version: 1)
    """

    kind: ClassVar[str] = "classifier"
    results: ClassVar[Literal["scores"]] = "scores"
    role: ClassVar[str] = "judge"
    registered: ClassVar[dict[str, Classifier]] = {}

    predict: Any
    criteria: Criteria
    code_version: str

    @check_argument_names
    def __init__(self, name: str, predict: Any, *, criteria: Criteria | str | Path, version: str | None = None) -> None:
        is_estimator = callable(getattr(predict, "predict", None))
        if not is_estimator and not callable(predict):
            raise SetupError(
                f"classifier `{name}`: {type(predict).__name__} cannot predict; give a function of a text, or an "
                "object with a method `predict`."
            )
        if is_estimator and not version:
            raise SetupError(
                f'classifier `{name}`: give the version of the estimator, such as version="trained 2026-11-20".'
            )
        code = version or source_hash(predict)
        super().__init__(name, predict=predict, criteria=criteria, code_version=code)
        Classifier.registered[name] = self

    @field_validator("criteria", mode="before")
    @classmethod
    def _load_criteria(cls, value: Any) -> Any:
        return load_criteria(value)

    def slots(self, project: Project, upstream: UpstreamSlots = NO_UPSTREAM) -> list[Slot]:  # calls no model
        design = slot_design(self, criteria=self.criteria.criteria_hash, code=self.code_version)
        return [Slot(self, design, 0, None, self.criteria)]

    def criteria_documents(self) -> Sequence[Criteria]:
        return (self.criteria,)

    def texts(self, slots: Sequence[Slot]) -> list[TextRow]:  # one document
        return self.criteria.to_rows()

    async def run(self, cell: Cell, context: Context) -> Unit:
        watch, trace_id = Stopwatch(), uuid7()
        loop = asyncio.get_running_loop()
        try:
            prediction = await loop.run_in_executor(function_threads(), _predict, self.predict, cell.record.content)
            answers = self._answers_by_criterion(prediction)
        except Exception as error:  # noqa: BLE001  # a user's code may raise anything; it becomes a row
            no_scores = self.empty_scores(cell, context, trace_id, "error")
            return make_unit(cell, context, watch, trace_id=trace_id, status="error", error=error, scores=no_scores)
        scores: list[Score] = []
        problem: InvalidAnswer | None = None
        for criterion in self.criteria:
            try:
                if criterion.name not in answers:
                    raise InvalidAnswer("the classifier returned no answer to it")
                scores.append(self._score(cell, context, trace_id, criterion, criterion.parse(answers[criterion.name])))
            except InvalidAnswer as error:
                problem = problem or InvalidAnswer(f"criterion `{criterion.name}`: {error}")
                scores.append(self._score(cell, context, trace_id, criterion, None, "invalid"))
        flags = {score.criterion: score.flagged for score in scores}
        return make_unit(
            cell,
            context,
            watch,
            trace_id=trace_id,
            status="invalid" if problem else "ok",
            output=str(prediction) if problem else None,
            flagged=self.criteria.overall_flag(flags),
            error=problem,
            scores=scores,
        )

    def _answers_by_criterion(self, prediction: Any) -> Mapping[str, Any]:
        if isinstance(prediction, Mapping):
            return prediction
        criteria = list(self.criteria)
        if len(criteria) > 1:
            names = ", ".join(f"`{criterion.name}`" for criterion in criteria)
            raise InvalidAnswer(f"a classifier for several criteria must return a mapping with {names}")
        return {criteria[0].name: prediction}

    def _score(
        self,
        cell: Cell,
        context: Context,
        trace_id: str,
        criterion: Criterion,
        answer: Answer | None,
        status: Status = "ok",
    ) -> Score:
        return Score(
            trace_id=trace_id,
            run_id=context.run_id,
            design_id=cell.design_id,
            record_id=cell.record.record_id,
            record_hash=cell.record.record_hash,
            judge=self.name,
            criteria_set=self.criteria.name,
            criteria_hash=self.criteria.criteria_hash,
            criterion=criterion.name,
            model=f"classifier/{self.name}",
            replicate=0,
            value=answer.value if answer else None,
            category=answer.category if answer else None,
            answer_note=answer.note if answer else None,
            flagged=criterion.flagged(answer) if answer else None,
            status=status,
        )

    def empty_scores(self, cell: Cell, context: Context, trace_id: str, status: Status) -> tuple[Score, ...]:
        return tuple(self._score(cell, context, trace_id, criterion, None, status) for criterion in self.criteria)

    def to_plain(self, folder: Path | None) -> dict[str, Any]:  # a file names code, and never contains it
        return {"code_version": self.code_version}

    @classmethod
    def from_plain(cls, name: str, data: dict[str, Any], folder: Path) -> AgentBase:  # noqa: ARG003  # as above
        return look_up_registered(cls.registered, name, data, "classifier", "make it with bm.Classifier")

    def __repr__(self) -> str:
        return f"Classifier({self.name!r}, criteria: {self.criteria.name}, version: {self.code_version})"

    __str__ = __repr__


def _predict(predict: Any, text: str) -> Any:
    """One answer, as a plain value and not as numpy's."""
    function: Callable[[Any], Any] | None = getattr(predict, "predict", None)
    return _as_plain(predict(text) if function is None else function([text])[0])


def _as_plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _as_plain(value) for name, value in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(value)
    if hasattr(value, "tolist"):  # a numpy array, or one of its numbers
        return value.tolist()
    return value
