"""`bm.data_statement`: what an ethics board asks before a study runs, answered from the study's own settings.

Which texts leave, to whom, what is known of what happens to them there, what stays here, what could be done without
sending anything, and how a person is forgotten. It is read off the prompts, the corpus and `buttermilk.yaml`; nothing
is sent and no server is asked. Of a provider's terms nothing is claimed, because they change and depend on the
contract: the statement says where they stand and what to look for in them.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

from ..._internal.markdown import bullets, code, code_list, strip_markup
from ..._internal.text import pluralise
from ...corpus.corpus import Corpus, require_corpus
from ...errors import SetupError
from ...project.model_table import named_models
from ...project.project import Project
from ...project.session import current
from ..plan import Plan
from .sections import (
    StatementSubject,
    alternatives_section,
    erasure_section,
    provider_terms_section,
    recipients_section,
    stored_here_section,
    texts_section,
)

if TYPE_CHECKING:
    from ..flow import Flow


class DataStatement:
    """A data statement: Markdown, which a notebook shows as a page.

    Parameters
    ----------
    text
        The Markdown.
    """

    def __init__(self, text: str) -> None:
        self.text = text

    def to_markdown(self, path: str | Path) -> Path:
        """Write it to a file; its path.

        Raises
        ------
        SetupError
            The file cannot be written.
        """
        target = Path(path).expanduser()
        try:
            target.write_text(self.text, encoding="utf-8")
        except OSError as error:
            raise SetupError(f"`{target}` cannot be written: {error.strerror or error}.") from error
        return target

    def __repr__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return self.text


def data_statement(
    flow: Flow | None = None,
    corpus: Corpus | None = None,
    *,
    project: Project | None = None,
    date: dt.date | str | None = None,
) -> DataStatement:
    """What would leave this machine, to whom, and what stays; for an ethics board, before a run. Nothing is sent.

    Parameters
    ----------
    flow
        The flow that would run; without one, it is about all models in the project's sets.
    corpus
        What it would run over; without one, nothing can be counted.
    project
        By default the open project.
    date
        The date to write on it; none by default, so that the same study gives the same statement.

    Returns
    -------
    Statement
        Shown as a page in a notebook; `.to_markdown(path)` writes it to a file.

    Raises
    ------
    SetupError
        The flow or a set names a model that there is not.

    Examples
    --------
    >>> import tempfile
    >>> from buttermilk_nb import init
    >>> _ = init("statement", path=tempfile.mkdtemp())
    >>> print(data_statement().text.splitlines()[0])
    # Data statement: `statement`
    """
    subject = _statement_subject(flow, corpus, project or current())
    parts = [_heading(subject, date), _summary_section(subject), texts_section(subject), recipients_section(subject)]
    parts += [provider_terms_section(subject)] if subject.remote else []
    parts += [stored_here_section(subject), alternatives_section(subject), erasure_section(subject)]
    return DataStatement("\n\n".join(parts) + "\n")


def _statement_subject(flow: Flow | None, corpus: Corpus | None, project: Project) -> StatementSubject:
    if corpus is not None:
        require_corpus(corpus, "a data statement")
    if flow is None:
        names = dict.fromkeys(name for names in project.settings.sets.values() for name in names)
        return StatementSubject(project, None, corpus, (), tuple(named_models(name, project) for name in names), 1)
    plan = Plan(flow.steps, corpus or Corpus([]), project)
    models = [slot.model for slots in plan.slots.values() for slot in slots]
    times = sum(model is not None and model.remote for model in models)
    return StatementSubject(project, flow.name, corpus, plan.steps, tuple(plan.models), times)


def _heading(subject: StatementSubject, date: dt.date | str | None) -> str:
    about = (
        f"of the flow {code(subject.flow)}"
        if subject.flow
        else "with the models of the project's sets (no flow is named)"
    )
    lines = [f"# Data statement: {code(subject.project.name)}"]
    lines += [f"Date: {strip_markup(str(date))}"] if date is not None else []
    lines.append(
        f"What would happen to texts in a run {about}. It was put together by the software from the study's own "
        "settings, and nothing was sent for it. Whether that is acceptable is for the researchers and their ethics "
        "board to decide."
    )
    return "\n\n".join(lines)


def _summary_section(subject: StatementSubject) -> str:
    if not subject.remote:
        lines = ["**No text leaves** this machine or a server that the project calls its own."]
    elif not subject.sends_texts:
        lines = ["**No text leaves**: the project is `local_only`, so its remote models are refused."]
    else:
        lines = [f"**Texts leave this machine**, to {code_list(subject.providers)}."]
    if subject.corpus is not None:
        lines.append(_record_counts(subject, subject.corpus))
    not_allowed = [name for name in subject.providers if name not in subject.project.client.consent.recipients]
    if not_allowed and subject.sends_texts:
        calls = code_list(f'bm.allow("{name}")' for name in not_allowed)
        lines.append(
            f"Nobody has allowed {code_list(not_allowed)} yet: nothing is sent there until somebody writes {calls}, or the "
            "same under `allow:` in buttermilk.yaml."
        )
    return f"## In short\n\n{bullets(lines)}"


def _record_counts(subject: StatementSubject, corpus: Corpus) -> str:
    n_local = sum(record.local_only for record in corpus)
    count = pluralise(len(corpus), "record")
    if not n_local:
        return f"{count}; none is marked `local_only`."
    consequence = (
        "never sent to a remote model" if subject.remote else "which would keep it here with remote models too"
    )
    return f"{count}, of which {n_local:,} {'is' if n_local == 1 else 'are'} marked `local_only`: {consequence}."
