"""`Run`: the handle to one execution of a flow, and to its results in the Store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .._internal import hooks
from .._internal.arguments import check_arguments
from .._internal.html import fragment, table, title
from .._internal.text import pluralise
from ..agents.base import AgentBase
from ..analysis.frames import heatmap, meta_outputs, scores, traces
from ..analysis.frames.outputs import outputs
from ..analysis.frames.quotations import quotes
from ..analysis.frames.ratings import project_ratings, run_ratings
from ..analysis.frames.side_by_side import SideBySide, side_by_side
from ..errors import SetupError, StoreError
from ..project.project import Project
from ..project.session import require_project
from ..schema import STATUSES
from ..store.costs import HAS_UNKNOWN_COST
from .stored_trace import StoredTrace, read_trace

if TYPE_CHECKING:
    import pandas as pd

_last_run: Run | None = None


class Run:
    """One execution of a flow over a corpus. `Flow.run` makes it.

    Parameters
    ----------
    project
        The project with the results.
    run_id, flow
        The id of the run, and the name of its flow.
    planned
        The number of planned answers.
    remarks
        Remarks from the checks before the run.
    status
        `running`, `finished`, `interrupted`, `over budget`, `out of time` or `failed`.
    """

    def __init__(
        self, project: Project, run_id: str, *, flow: str, planned: int, remarks: tuple[str, ...], status: str
    ) -> None:
        self.project = project
        self.run_id = run_id
        self.flow = flow
        self.planned = planned
        self.remarks = remarks
        self.status = status
        self.stopped_by: str | None = None
        """Why a run that is `over budget` stopped, or why it waits for a batch."""
        self.agents: Mapping[str, AgentBase] = {}
        """The agents of its steps by name; none for a run of another session."""
        self.cancel_callback: Callable[[], None] | None = None

    @property
    def counts(self) -> dict[str, int]:
        """The planned answers by status; `pending` means that there is no trace yet."""
        counts = traces.status_counts(self.project.store, self.run_id)
        return {status: counts[status] for status in STATUSES if status in counts}

    @property
    def cost_usd(self) -> float | None:
        """The cost of this run in US dollars; None if the price of a call is not known."""
        row = self.project.store.df(
            "select coalesce(sum(cost_usd), 0) as spent, count(*) - count(cost_usd) as unknown from calls "
            "where run_id = ? and response_hash is not null",
            [self.run_id],
        )
        return None if row.unknown.item() else float(row.spent.item())

    def scores(self) -> pd.DataFrame:
        """One row per judge x criterion x record x replicate, with the truth if there is one."""
        return scores.scores(self.project.store, self.run_id)

    def ratings(self) -> pd.DataFrame:
        """One row per coder x criterion x record x replicate, for judges and people: the input of all statistics."""
        return run_ratings(self.project.store, self.run_id)

    def judgements(self) -> pd.DataFrame:
        """One row per answer of a judge: the verdict on the criteria document as a whole."""
        return scores.judgements(self.project.store, self.run_id)

    def assessments(self) -> pd.DataFrame:
        """One row per expert reason and answer: whether the answer gives it too, and with which of its own reasons.

        They come from a step with a `Scorer`.
        """
        return meta_outputs.assessments(self.project.store, self.run_id)

    def reason_recall(self) -> pd.DataFrame:
        """One row per answer and criterion: the share of the expert's reasons that it gives, and its additional ones.

        `recall` is NaN if the scorer's output could not be parsed.
        """
        return meta_outputs.reason_recall(self.project.store, self.run_id)

    def quotes(self) -> pd.DataFrame:
        """One row per passage that a reason quotes: whether the text contains it (`verified`), and its position.

        `run.quotes().groupby(["judge", "model"]).verified.mean()` is the share of verified quotations.
        """
        return quotes(self.project.store, self.run_id)

    def divergences(self) -> pd.DataFrame:
        """One row per topic, position and answer that takes it, from a step with `Differences`."""
        return meta_outputs.divergences(self.project.store, self.run_id)

    def comparisons(self) -> pd.DataFrame:
        """One row per record with compared answers: the number of topics on which they diverge, and the conclusion."""
        return meta_outputs.conclusions(self.project.store, self.run_id)

    def votes(self) -> pd.DataFrame:
        """One row per panel, record, criterion and member: its vote, and the panel's answer.

        `dissent` is the share of the votes that differ from the answer; it is 1 if no answer won.
        """
        return meta_outputs.votes(self.project.store, self.run_id)

    def review_queue(self) -> pd.DataFrame:
        """One row per contested answer that waits for a person, from a step with an `Escalation`.

        `bm.coding_form(corpus, criteria=..., coder=..., sample=run.review_queue().drop_duplicates("record_id"))` shows
        the records.
        """
        return meta_outputs.review_queue(self.project.store, self.run_id)

    @check_arguments
    def extractions(self, step: str) -> pd.DataFrame:
        """One row per extracted row: its columns, and whether the text contains the quotation.

        Parameters
        ----------
        step
            The name of the extractor.

        Raises
        ------
        SetupError
            The run has no extractor of that name.
        """
        return meta_outputs.extractions(self.project.store, self.run_id, step)

    @check_arguments
    def outputs(self, step: str) -> pd.DataFrame:
        """One row per answer of a step, with its output: its fields as columns if it has fields.

        Parameters
        ----------
        step
            The name of the step.

        Raises
        ------
        SetupError
            The run has no step of that name.
        """
        data_kinds = [name for name, kind in AgentBase.kinds.items() if kind.output_is_json]
        return outputs(self.project.store, self.run_id, step, data_kinds=data_kinds)

    @check_arguments
    def side_by_side(self, record_id: str) -> SideBySide:
        """One record: the text, every answer with its reasons, and where the answers diverge.

        Parameters
        ----------
        record_id
            The id of the record.

        Raises
        ------
        SetupError
            The run has no such record.
        """
        return side_by_side(self.project.store, self.run_id, record_id)

    def traces(self) -> pd.DataFrame:
        """One row per answer that the run worked on, with ids and times."""
        return traces.traces(self.project.store, self.run_id)

    @check_arguments
    def trace(
        self,
        which: str | int,
        *,
        step: str | None = None,
        criteria_set: str | None = None,
        model: str | None = None,
        replicate: int | None = None,
    ) -> StoredTrace:
        """One answer with everything that led to it: record, messages as sent, answer as received, what was read.

        Parameters
        ----------
        which
            The id of a trace, or of a record with one answer; a number is the id of these digits.
        step, criteria_set, model, replicate
            Which answer on the record, if there are several.

        Raises
        ------
        SetupError
            There is no such answer, or there are several.
        StoreError
            The stored record is not the one that its hash is of.
        """
        conditions = {"step": step, "criteria_set": criteria_set, "model": model, "replicate": replicate}
        trace = read_trace(self.project.store, self.run_id, str(which), conditions)
        agent = self.agents.get(trace.step)
        return replace(trace, output=agent.rebuild_output(trace.output)) if agent and trace.status == "ok" else trace

    def calls(self) -> pd.DataFrame:
        """One row per call, with the request as sent and the response as received."""
        return traces.calls(self.project.store, self.run_id)

    def errors(self) -> pd.DataFrame:
        """One row per missing answer: refused, invalid, failed, skipped or pending, with the raw text."""
        return traces.errors(self.project.store, self.run_id)

    def models(self) -> pd.DataFrame:
        """One row per exact model: requested and served name, fingerprint, first and last answer, parameters, n."""
        return traces.models(self.project.store, self.run_id)

    def explore(self) -> Any:
        """An interactive heat map of judges and criteria; a table if widgets are not available."""
        view = hooks.get_hook("explorer")
        return view(self) if view else heatmap.Heatmap(heatmap.flag_shares(self.project.store, self.run_id))

    def cancel(self) -> None:
        """Stop this run as Ctrl-C does: no new calls start, calls in flight may finish, and every row is stored."""
        if self.cancel_callback is not None and self.status == "running":
            self.cancel_callback()

    def __repr__(self) -> str:
        counts, notes = self._counts_and_notes()
        kinds = ", ".join(f"{n:,} {status}" for status, n in counts.items())
        answers = pluralise(self.planned, "answer")
        lines = [f"Run of {self.flow!r}, {self.status}: {answers}{f' ({kinds})' if kinds else ''}"]
        return "\n".join([*lines, *notes])

    def _counts_and_notes(self) -> tuple[dict[str, int], list[str]]:
        """The counts, and notes on them; the reason if the file cannot be read now, because a repr must not fail."""
        try:
            counts = self.counts
            return counts, self._notes(counts)
        except StoreError as error:
            return {}, [f"The answers cannot be read now: {error}"]

    def _notes(self, counts: Mapping[str, int]) -> list[str]:
        without = self.planned - counts.get("ok", 0)
        hint = (
            [f"{pluralise(without, 'answer')} {'is' if without == 1 else 'are'} missing; run.errors() shows why."]
            if without and self.status != "running"
            else []
        )
        return hint + self._cost_notes() + [f"Note: {remark}" for remark in self.remarks]

    def _cost_notes(self) -> list[str]:
        """A note on calls whose cost is not known, so that nobody takes it for zero."""
        query = f"select count(*) as n from calls where run_id = ? and {HAS_UNKNOWN_COST}"  # noqa: S608  # our own words
        n = int(self.project.store.df(query, [self.run_id]).n.item())
        return [f"The cost of {pluralise(n, 'call')} is not known, and is in no sum; see run.calls()."] if n else []

    def _repr_html_(self) -> str:
        counts, notes = self._counts_and_notes()
        head = title(f"Run of {self.flow}", f"{self.status} · {pluralise(self.planned, 'answer')}")
        return fragment(head, table(["status", "answers"], list(counts.items()), " ".join(notes)))


def set_last_run(run: Run) -> None:
    """Make a run the one that `last_run` returns."""
    global _last_run
    _last_run = run


@check_arguments
def ratings(project: Project | None = None) -> pd.DataFrame:
    """The ratings of a whole project: the newest finished answer of each design, and the newest codes of people.

    Parameters
    ----------
    project
        By default the open project.

    Returns
    -------
    pandas.DataFrame
        The long frame that every statistic takes; `Run.ratings` returns that of one run.

    Examples
    --------
    >>> import tempfile
    >>> from buttermilk_nb import init
    >>> len(ratings(init("ratings-example", path=tempfile.mkdtemp())))
    0
    """
    return project_ratings(require_project(project).store)


@check_arguments
def last_run() -> Run:
    """The last run that this process started, even if it was interrupted.

    Raises
    ------
    SetupError
        Nothing has run yet.
    """
    if _last_run is None:
        raise SetupError("nothing has run yet; start with flow.run(corpus).")
    return _last_run
