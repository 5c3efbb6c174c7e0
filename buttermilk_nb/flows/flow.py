"""A flow: a named, serialisable graph of steps. Definition only; `plan.py` and `runner.py` do the work."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from .._internal import event_loop, yaml
from .._internal.ids import canonical, digest
from ..agents import AgentBase
from ..config.settings import CacheMode
from ..corpus.corpus import Corpus, require_corpus
from ..errors import BudgetReached, Interrupted, RunStopped, SetupError, nearest
from ..project.project import Project
from ..project.session import current
from .estimate import Estimate, estimate
from .execution.runner import Runner
from .execution.start import start
from .plan import Grid, Plan
from .run import Run
from .run_options import RunOptions
from .step import Step


class Flow:
    """Steps in a graph.

    Parameters
    ----------
    name
        The flow's name.
    steps
        Agents, or Steps where one needs another.

    Raises
    ------
    SetupError
        Two steps share a name, a step needs one that there is not, or steps need each other in a circle.

    Examples
    --------
    >>> from buttermilk_nb import Criteria, Judge
    >>> respect = Criteria("respect", "Is it respectful?", flag="no", cues={"no": ["scum"]})
    >>> Flow("tone", [Judge("judge", criteria=respect)])
    Flow('tone': judge)
    """

    def __init__(self, name: str, steps: Sequence[AgentBase | Step] | AgentBase | Step) -> None:
        if not name.strip():
            raise SetupError("a flow needs a name.")
        items = steps if isinstance(steps, Sequence) else [steps]
        self.name = name
        self.steps: tuple[Step, ...] = _sort_steps([s if isinstance(s, Step) else Step(s) for s in items])

    @property
    def flow_hash(self) -> str:
        """The hash of the definition."""
        return digest("f1", canonical(self.to_plain()))

    # --- before a run ----------------------------------------------------------------------------

    def check(self, corpus: Corpus, *, project: Project | None = None) -> Grid:
        """Find what is wrong before anything runs: render every prompt, look at every model and code.

        Returns
        -------
        Grid
            The planned cells, and remarks on what would measure nothing.

        Raises
        ------
        SetupError
            Every problem at once.
        """
        return Plan(self.steps, corpus, project or current()).checked()

    def estimate(self, corpus: Corpus, *, limit: int | None = None, project: Project | None = None) -> Estimate:
        """Count calls, tokens and cost, and how much is cached already. Nothing is sent."""
        project = project or current()
        plan = Plan(self.steps, _limit_corpus(corpus, limit), project)
        plan.checked()
        return estimate(plan, project)

    # --- running ---------------------------------------------------------------------------------

    def run(
        self,
        corpus: Corpus,
        *,
        limit: int | None = None,
        concurrency: int | None = None,
        on_error: Literal["keep", "raise"] = "keep",
        cache: CacheMode | None = None,
        retry: Iterable[str] = (),
        budget_usd: float | None = None,
        time_limit_s: float | None = None,
        batch: bool = False,
        yes: bool = False,
        project: Project | None = None,
    ) -> Run:
        """Run the flow over a corpus. Running again resumes: what is answered comes from the cache.

        Parameters
        ----------
        corpus
            The records.
        limit
            Only the first so many.
        concurrency
            Calls in flight at once; by default the project's setting.
        on_error
            `keep` makes a failed cell a row with its status; `raise` stops at the first.
        cache
            `use`, `refresh`, `only` or `off`; by default the project's mode.
        retry
            Statuses to ask again although an answer is cached: `["invalid", "refused"]`.
        budget_usd
            What this run may spend; what is cached costs nothing. The project's own budget holds beside it.
        time_limit_s
            Seconds after which no new cell is begun.
        batch
            Send what is new as batches, where a model's provider has an API for them (OpenAI, Anthropic): at half the
            price, and done within a day. It may be stopped; the same cell, run again, collects what was submitted.
        yes
            Go on without asking, however many calls it sends to remote models.
        project
            By default the open project.

        Returns
        -------
        Run
            The handle to the results.

        Raises
        ------
        SetupError
            Something is declared wrongly; nothing was sent.
        ConsentError, UnconfirmedError
            Texts would go where nobody has allowed them to, or more calls than expected; nothing was sent.
        BudgetReached, RunStopped
            The budget or the time ran out; what had finished is stored.
        Interrupted
            It was stopped with Ctrl-C; what had finished is stored, and `bm.last_run()` is the handle.
        """
        work = self._start(
            corpus, limit, project, concurrency=concurrency, on_error=on_error, cache=cache, retry=retry,
            budget_usd=budget_usd, time_limit_s=time_limit_s, batch=batch, yes=yes,
        )  # fmt: skip
        return _raise_if_incomplete(event_loop.wait(event_loop.submit(work.run()), work.interrupt), Interrupted)

    async def run_async(
        self,
        corpus: Corpus,
        *,
        limit: int | None = None,
        concurrency: int | None = None,
        on_error: Literal["keep", "raise"] = "keep",
        cache: CacheMode | None = None,
        retry: Iterable[str] = (),
        budget_usd: float | None = None,
        time_limit_s: float | None = None,
        batch: bool = False,
        yes: bool = False,
        project: Project | None = None,
    ) -> Run:
        """The twin of `run` for `await` in a cell: widgets stay alive while it works.

        Raises
        ------
        RunStopped
            It was stopped; what had finished is stored. (Not Interrupted, which would end the loop.)
        """
        work = self._start(
            corpus, limit, project, concurrency=concurrency, on_error=on_error, cache=cache, retry=retry,
            budget_usd=budget_usd, time_limit_s=time_limit_s, batch=batch, yes=yes,
        )  # fmt: skip
        return _raise_if_incomplete(
            await event_loop.wait_async(event_loop.submit(work.run()), work.interrupt), RunStopped
        )

    def _start(self, corpus: Corpus, limit: int | None, project: Project | None, **options: Any) -> Runner:
        project = project or current()
        checked_options = RunOptions.checked(project, **options)
        plan = Plan(self.steps, _limit_corpus(corpus, limit), project)
        reloaded = Flow(self.name, plan.steps)  # as its files say now
        return start(
            plan, project, checked_options, flow=self.name, flow_hash=reloaded.flow_hash, definition=reloaded.to_plain()
        )

    # --- as a file -------------------------------------------------------------------------------

    def to_yaml(self, path: str | Path | None = None) -> str:
        """The flow as YAML; with `path`, written there too. Criteria and prompt files are named, others written out.

        Examples
        --------
        >>> from buttermilk_nb import Criteria, Judge
        >>> flow = Flow("tone", [Judge("judge", criteria=Criteria("calm", "Is it calm?"), models="offline/strict")])
        >>> Flow.from_yaml(flow.to_yaml()).flow_hash == flow.flow_hash
        True
        """
        text = yaml.dumps(self.to_plain(Path(path).parent if path else None))
        if path:
            Path(path).write_text(text, encoding="utf-8")
        return text

    @classmethod
    def from_yaml(cls, source: str | Path) -> Flow:
        """ParsedAnswer a flow from a YAML file, or from YAML text.

        Raises
        ------
        SetupError
            A word is unknown, a file is missing, or a function is named that is not defined here.
        """
        is_text = isinstance(source, str) and "\n" in source
        path = Path("flow") if is_text else Path(source)
        data = yaml.loads(str(source), "the flow") if is_text else yaml.load(path)
        source_name = "the flow" if is_text else f"`{path.name}`"
        if not isinstance(data, dict):
            raise SetupError(f"{source_name} is not a mapping with `name` and `steps`.")
        for word in data:
            if word not in ("name", "steps"):
                raise SetupError(f"{source_name}: there is no word `{word}`; {nearest(word, ['name', 'steps'])}")
        steps = data.get("steps")
        if not isinstance(steps, list) or not steps:
            raise SetupError(f"{source_name} has no `steps`.")
        folder = Path.cwd() if is_text else path.parent
        return cls(str(data.get("name") or path.stem), [_step_from_plain(item, source_name, folder) for item in steps])

    def to_plain(self, folder: Path | None = None) -> dict[str, Any]:
        """The flow as plain data; files below `folder` are named, all others written out."""
        return {"name": self.name, "steps": [step.to_plain(folder) for step in self.steps]}

    def __repr__(self) -> str:
        return f"Flow({self.name!r}: {' -> '.join(step.name for step in self.steps)})"


def _raise_if_incomplete(run: Run, stopped: type[Interrupted | RunStopped]) -> Run:
    if run.status not in ("interrupted", "over budget", "out of time"):
        return run
    n_missing = sum(run.counts.get(status, 0) for status in ("pending", "cancelled"))
    hint = (
        f"{n_missing:,} of {run.planned:,} cells are still to do. What had finished is stored: run the cell again to go on, "
        "or use bm.last_run() for the results so far."
    )
    why = f"{run.stopped_by} " if run.stopped_by else ""
    if run.status == "over budget":
        raise BudgetReached(f"The run stopped at its budget: {why}{hint}")
    if run.status == "out of time":
        raise RunStopped(f"The run stopped at its time limit: {why}{hint}")
    raise stopped(f"The run was stopped: {why}{hint}")


def _step_from_plain(item: Any, source_name: str, folder: Path) -> Step:
    if not isinstance(item, dict):
        raise SetupError(f"{source_name}: a step is a mapping with `agent` and `name`, not {item!r:.60}.")
    data = dict(item)
    kind = str(data.pop("agent", ""))
    step_fields = {word: data.pop(word) for word in ("needs", "timeout_s", "retries") if word in data}
    name = str(data.pop("name", kind))
    if kind not in AgentBase.kinds:
        raise SetupError(f"{source_name}, step `{name}`: there is no agent `{kind}`; {nearest(kind, AgentBase.kinds)}")
    agent_class = AgentBase.kinds[kind]
    unknown = [word for word in data if word not in agent_class.model_fields]
    if unknown:
        raise SetupError(
            *(
                f"{source_name}, step `{name}`: there is no word `{w}`; {nearest(w, agent_class.model_fields)}"
                for w in unknown
            )
        )
    return Step(agent_class.from_plain(name, data, folder), **step_fields)


def _sort_steps(steps: list[Step]) -> tuple[Step, ...]:
    """Steps so that each comes after what it needs."""
    by_name: dict[str, Step] = {}
    for step in steps:
        if step.name in by_name:
            raise SetupError(f"two steps are called `{step.name}`; names must differ.")
        by_name[step.name] = step
    for step in steps:
        for name in step.needs:
            if name not in by_name:
                raise SetupError(
                    f"step `{step.name}` needs `{name}`, which is not in the flow; {nearest(name, by_name)}"
                )
    sorted_steps: dict[str, Step] = {}
    while len(sorted_steps) < len(steps):
        ready = [
            step for step in steps if step.name not in sorted_steps and all(name in sorted_steps for name in step.needs)
        ]
        if not ready:
            names = ", ".join(f"`{step.name}`" for step in steps if step.name not in sorted_steps)
            raise SetupError(f"the steps {names} need each other in a circle.")
        sorted_steps |= {step.name: step for step in ready}
    return tuple(sorted_steps.values())


def _limit_corpus(corpus: Corpus, limit: int | None) -> Corpus:
    require_corpus(corpus, "a flow")
    if limit is not None and (not isinstance(limit, int) or limit < 1):
        raise SetupError(f"limit={limit!r}: write a number of records, or leave it out.")
    return corpus if limit is None else corpus.head(limit)
