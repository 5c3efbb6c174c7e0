"""`bm.data_statement`: answers the questions of an ethics board from a study's own settings.

Which texts are sent, and to whom? What happens to them there? What is stored here? What is possible without sending
anything? How is a person's data erased? The answers come from the prompts, the corpus and `buttermilk.yaml`; nothing
is sent and no server is contacted. The statement makes no claims about a provider's terms, because they change and
depend on the contract: it says where to find them and what to look for.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

from ..._internal.arguments import check_arguments
from ..._internal.markdown import bullets, code, code_list, strip_markup
from ..._internal.private_files import private_files
from ..._internal.text import pluralise
from ...corpus.corpus import Corpus, require_corpus
from ...errors import SetupError
from ...project.model_table import named_model
from ...project.project import Project
from ...project.session import require_project
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
    """A data statement as Markdown text, which a notebook shows as a page.

    Parameters
    ----------
    text
        The Markdown.
    """

    def __init__(self, text: str) -> None:
        self.text = text

    def to_markdown(self, path: str | Path) -> Path:
        """Write the statement to a file, and return its path.

        Raises
        ------
        SetupError
            The file cannot be written.
        """
        target = Path(path).expanduser()
        try:
            with private_files(target.parent):
                target.write_text(self.text, encoding="utf-8")
        except OSError as error:
            raise SetupError(f"`{target}` cannot be written: {error.strerror or error}.") from error
        return target

    def __repr__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return self.text


@check_arguments
def data_statement(
    flow: Flow | None = None,
    corpus: Corpus | None = None,
    *,
    project: Project | None = None,
    date: dt.date | str | None = None,
) -> DataStatement:
    """A statement for an ethics board: which texts a run would send, to whom, and what stays. Nothing is sent.

    Parameters
    ----------
    flow
        The flow that would run; by default the statement covers all models in the project's sets.
    corpus
        The corpus of the run; without one, nothing is counted.
    project
        By default the open project.
    date
        The date on the statement; by default none, so that the same study gives the same statement.

    Returns
    -------
    DataStatement
        The statement, which a notebook shows as a page; `.to_markdown(path)` writes it to a file.

    Raises
    ------
    SetupError
        The flow or a set names a model that does not exist.

    Examples
    --------
    >>> import tempfile
    >>> from buttermilk_nb import init
    >>> _ = init("statement", path=tempfile.mkdtemp())
    >>> print(data_statement().text.splitlines()[0])
    # Data statement: `statement`
    """
    subject = _statement_subject(flow, corpus, require_project(project))
    parts = [_heading(subject, date), _summary_section(subject), texts_section(subject), recipients_section(subject)]
    parts += [provider_terms_section(subject)] if subject.remote else []
    parts += [stored_here_section(subject), alternatives_section(subject), erasure_section(subject)]
    return DataStatement("\n\n".join(parts) + "\n")


def _statement_subject(flow: Flow | None, corpus: Corpus | None, project: Project) -> StatementSubject:
    if corpus is not None:
        require_corpus(corpus, "a data statement")
    if flow is None:
        names = dict.fromkeys(name for names in project.settings.sets.values() for name in names)
        return StatementSubject(project, None, corpus, (), tuple(named_model(name, project) for name in names), 1)
    if not hasattr(flow, "steps"):
        raise SetupError(f"a data statement is about a flow, bm.Flow(...), not {type(flow).__name__}.")
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
        f"This statement describes what would happen to texts in a run {about}. The software made it from the study's "
        "own settings, without sending anything. The researchers and their ethics board decide whether this is "
        "acceptable."
    )
    return "\n\n".join(lines)


def _summary_section(subject: StatementSubject) -> str:
    if not subject.remote:
        lines = ["**No text leaves** this machine or a server that the project declares as its own."]
    elif not subject.sends_texts:
        lines = ["**No text leaves**: the project is `local_only`, so its remote models are refused."]
    else:
        lines = [f"**Texts leave this machine**, to {code_list(subject.providers)}."]
    if subject.corpus is not None:
        lines.append(_record_counts(subject.corpus))
    not_allowed = [name for name in subject.providers if name not in subject.project.client.consent.recipients]
    if not_allowed and subject.sends_texts:
        calls = code_list(f'bm.allow("{name}")' for name in not_allowed)
        lines.append(f"There is no consent for {code_list(not_allowed)} yet: nothing is sent there without {calls}.")
    return f"## Summary\n\n{bullets(lines)}"


def _record_counts(corpus: Corpus) -> str:
    n_local = sum(record.local_only for record in corpus)
    count = pluralise(len(corpus), "record")
    if not n_local:
        return f"The corpus has {count}. No record is marked `local_only`."
    verb = "is" if n_local == 1 else "are"
    marked = f"{pluralise(n_local, 'record')} {verb} marked `local_only` and never sent to a remote model."
    return f"The corpus has {count}. {marked}"
