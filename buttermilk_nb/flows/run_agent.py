"""`run_agent`: one agent alone on records, without a flow of one's own. An agent that is called comes here."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from .._internal.markdown import code_list
from ..agents.base import AgentBase
from ..corpus.as_corpus import as_corpus
from ..errors import SetupError, nearest
from .flow import Flow

if TYPE_CHECKING:
    import pandas as pd


_OPTIONS = tuple(inspect.signature(Flow.run).parameters)[2:]
"""The options of `Flow.run`, after the flow and its records."""


def run_agent(agent: AgentBase, source: Any, **options: Any) -> pd.DataFrame:
    """Run an agent on a corpus, a frame, records or texts, as a flow with the agent's name.

    Parameters
    ----------
    agent
        The agent.
    source
        What `as_corpus` takes.
    **options
        Options of `Flow.run`.

    Returns
    -------
    pandas.DataFrame
        The scores of a judge, the rows of an extractor, the outputs of any other agent: in the order of the records,
        each with its text in `content`.

    Raises
    ------
    SetupError
        The agent reads the answers of other steps, an option is unknown, or the source has no texts.
    """
    if agent.upstream_steps:
        raise SetupError(
            f"`{agent.name}` reads the answers of {code_list(agent.upstream_steps)}: run both in one flow, "
            f'bm.Flow("study", [..., {agent.name}]).'
        )
    for name in options:
        if name not in _OPTIONS:
            raise SetupError(f"`{agent.name}` has no option `{name}`; {nearest(name, _OPTIONS)}")
    corpus = as_corpus(source, f"`{agent.name}`")
    run = Flow(agent.name, agent).run(corpus, **options)
    if agent.results == "scores":
        frame = run.scores()
    else:
        frame = run.extractions(agent.name) if agent.results == "extractions" else run.outputs(agent.name)
    texts = {record.record_id: record.content for record in corpus}
    places = dict(zip(texts, range(len(texts)), strict=True))
    frame = frame.sort_values("record_id", key=lambda ids: ids.map(places), kind="stable", ignore_index=True)
    if "content" not in frame:  # an extractor may have a column of that name
        frame.insert(1, "content", frame.record_id.map(texts))
    return frame
