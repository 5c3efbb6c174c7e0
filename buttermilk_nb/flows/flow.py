"""`Flow`: a named graph of steps, which can be checked, estimated, run and saved as YAML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .._internal import event_loop, yaml
from .._internal.arguments import check_argument_names, check_arguments, require_text
from .._internal.ids import canonical, digest
from ..agents import AgentBase
from ..config.settings import CacheMode
from ..corpus.as_corpus import as_corpus
from ..corpus.corpus import Corpus
from ..errors import Interrupted, RunStopped, SetupError
from ..project.project import Project
from ..project.session import require_project
from .design_frame import design_frame
from .estimate import Estimate, estimate
from .execution.preflight import list_needs
from .execution.require_complete import require_complete
from .execution.runner import Runner
from .execution.start import start
from .flow_file import read_flow_file
from .plan import Grid, Plan
from .run import Run
from .run_options import RunOptions
from .step import Step, sort_steps

if TYPE_CHECKING:
    import pandas as pd


class Flow:
    """Steps in a graph, which run on every record of a corpus.

    Parameters
    ----------
    name
        The flow's name.
    steps
        Agents, or `Step`s for agents that need other steps.

    Raises
    ------
    SetupError
        Two steps have the same name, a step needs one that does not exist, or steps need each other in a circle.

    Examples
    --------
    >>> from buttermilk_nb import Criteria, Judge
    >>> respect = Criteria("respect", "Is it respectful?", flag="no", cues={"no": ["scum"]})
    >>> Flow("tone", [Judge("judge", criteria=respect)])
    Flow('tone': judge)
    """

    @check_argument_names
    def __init__(self, name: str, steps: Sequence[AgentBase | Step] | AgentBase | Step) -> None:
        if not require_text(name, "the name of a flow").strip():
            raise SetupError("a flow needs a name.")
        items = steps if isinstance(steps, Sequence) else [steps]
        self.name = name
        self.steps: tuple[Step, ...] = sort_steps([s if isinstance(s, Step) else Step(s) for s in items])

    @property
    def flow_hash(self) -> str:
        """The hash of the definition."""
        return digest("f1", canonical(self.to_plain()))

    # --- before a run ----------------------------------------------------------------------------

    def check(self, corpus: Any, *, project: Project | None = None) -> Grid:
        """Check everything before a run: prompts, models and codes, keys, consent and prices. Nothing is sent.

        Parameters
        ----------
        corpus
            The records, as in `run`.
        project
            By default the open project.

        Returns
        -------
        Grid
            The number of planned answers, remarks on options that measure nothing, and what a run would stop for: a
            key, a consent, a price, a server that does not run, a confirmation.

        Raises
        ------
        SetupError
            The declaration is wrong; the error lists every problem.
        """
        project = require_project(project)
        plan = Plan(self.steps, _limit_corpus(corpus, None), project)
        return plan.checked()._replace(needs=tuple(list_needs(plan, project)))

    @check_arguments
    def estimate(self, corpus: Any, *, limit: int | None = None, project: Project | None = None) -> Estimate:
        """Count calls, tokens and cost, and the calls that are cached already. Nothing is sent.

        Parameters
        ----------
        corpus, limit, project
            As in `run`.

        Returns
        -------
        Estimate
            Calls, tokens and cost, by model.

        Raises
        ------
        SetupError
            The declaration is wrong; the error lists every problem.
        """
        project = require_project(project)
        plan = Plan(self.steps, _limit_corpus(corpus, limit), project)
        plan.checked()
        return estimate(plan, project)

    @check_arguments
    def design(self, corpus: Any, *, limit: int | None = None, project: Project | None = None) -> pd.DataFrame:
        """The planned grid before anything runs: one row per answer. Nothing is sent.

        Parameters
        ----------
        corpus, limit, project
            As in `run`.

        Returns
        -------
        pandas.DataFrame
            Record, step, criteria, model and replicate of each planned answer; its `state` (`new` or `cached`;
            `repeated` shares the answer of an equal request, `local only` is never sent, `later` depends on the outputs
            of other steps, `no call` asks no model); its calls, the new ones among them, and their tokens and cost.
            Tokens of answers are a guess; `cost_usd` is NaN if a price is not known.

        Raises
        ------
        SetupError
            The declaration is wrong; the error lists every problem.

        Examples
        --------
        >>> import tempfile
        >>> from buttermilk_nb import Criteria, Judge, init
        >>> _ = init("design-example", path=tempfile.mkdtemp())
        >>> calm = Criteria("calm", "Is it calm?", flag="no", cues={"no": ["shout"]})
        >>> flow = Flow("tone", [Judge("judge", criteria=calm, models="offline/strict")])
        >>> flow.design(["A quiet room.", "They shout."]).state.value_counts().to_dict()
        {'new': 2}
        """
        project = require_project(project)
        plan = Plan(self.steps, _limit_corpus(corpus, limit), project)
        plan.checked()
        return design_frame(plan, project)

    # --- running ---------------------------------------------------------------------------------

    @check_arguments
    def run(
        self,
        corpus: Any,
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
        """Run the flow over a corpus. A second run resumes: existing answers come from the cache.

        Parameters
        ----------
        corpus
            The records: a corpus, a dataframe with a column `text` or `content`, or a list of Records, dictionaries or
            texts.
        limit
            The number of records, from the start of the corpus; by default all.
        concurrency
            The number of calls at the same time; by default the project's setting.
        on_error
            `keep` stores a failed answer as a row with its status; `raise` stops the run at the first failure.
        cache
            `use`, `refresh`, `only` or `off`; by default the project's mode.
        retry
            Statuses of cached answers that are asked for again, such as `["invalid", "refused"]`; by default none.
        budget_usd
            The most that this run may spend, in US dollars; cached answers cost nothing. By default only the project's
            budget applies, which always applies too.
        time_limit_s
            Seconds after which the run stops; by default there is no limit.
        batch
            Send new requests as batches to providers that have a batch API (OpenAI, Anthropic): at half the price, and
            finished within a day. You may stop the run: running the same notebook cell again collects the batches.
        yes
            Do not ask for confirmation, however many calls are sent to remote models.
        project
            By default the open project.

        Returns
        -------
        Run
            The handle to the results.

        Raises
        ------
        SetupError
            The declaration is wrong; nothing was sent.
        ConsentError, UnconfirmedError
            A provider has no consent, or there are more calls than expected; nothing was sent.
        BudgetReached, RunStopped
            The budget or the time limit was reached; finished answers are stored.
        Interrupted
            The run was stopped with Ctrl-C; finished answers are stored, and `bm.last_run()` returns the handle.
        """
        work = self._start(
            corpus, limit, project, concurrency=concurrency, on_error=on_error, cache=cache, retry=retry,
            budget_usd=budget_usd, time_limit_s=time_limit_s, batch=batch, yes=yes,
        )  # fmt: skip
        return require_complete(event_loop.wait(event_loop.submit(work.run()), work.interrupt), Interrupted)

    @check_arguments
    async def run_async(
        self,
        corpus: Any,
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
        """Run the flow with `await`, so that widgets work meanwhile. Parameters, results and errors as in `run`.

        Raises
        ------
        RunStopped
            The run was stopped; finished answers are stored. (Not Interrupted, which would end the event loop.)
        """
        work = self._start(
            corpus, limit, project, concurrency=concurrency, on_error=on_error, cache=cache, retry=retry,
            budget_usd=budget_usd, time_limit_s=time_limit_s, batch=batch, yes=yes,
        )  # fmt: skip
        return require_complete(await event_loop.wait_async(event_loop.submit(work.run()), work.interrupt), RunStopped)

    def _start(self, corpus: Any, limit: int | None, project: Project | None, **options: Any) -> Runner:
        project = require_project(project)
        checked_options = RunOptions.checked(project, **options)
        plan = Plan(self.steps, _limit_corpus(corpus, limit), project)
        reloaded = Flow(self.name, plan.steps)  # with its files as they are now
        return start(
            plan, project, checked_options, flow=self.name, flow_hash=reloaded.flow_hash, definition=reloaded.to_plain()
        )

    # --- as a file -------------------------------------------------------------------------------

    def to_yaml(self, path: str | Path | None = None) -> str:
        """The flow as YAML text, which is also written to `path`, if given.

        Criteria and prompts from files in the folder of `path` appear by name; all others appear as text.

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
        """Read a flow from a YAML file, or from YAML text.

        Raises
        ------
        SetupError
            A key is unknown, a file does not exist, or the program does not define a function of the flow.
        """
        return cls(*read_flow_file(source))

    def to_plain(self, folder: Path | None = None) -> dict[str, Any]:
        """The flow as plain data, with the names of files in `folder`, and the text of all others."""
        return {"name": self.name, "steps": [step.to_plain(folder) for step in self.steps]}

    def __repr__(self) -> str:
        return f"Flow({self.name!r}: {' -> '.join(step.name for step in self.steps)})"


def _limit_corpus(source: Any, limit: int | None) -> Corpus:
    corpus = as_corpus(source, "a flow")
    if limit is not None and (not isinstance(limit, int) or limit < 1):
        raise SetupError(f"limit={limit!r}: give a number of records, or leave it out.")
    return corpus if limit is None else corpus.head(limit)
