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
from ...project.model_table import named_model
from ...project.project import Project
from ...project.session import current
from ..plan import Plan
from .sections import (
    StatementSubject,
    forgetting,
    provider_terms_section,
    recipients_section,
    stored_here_section,
    which_texts,
    without_sending,
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
    study = _study(flow, corpus, project or current())
    parts = [_head(study, date), _short(study), which_texts(study), recipients_section(study)]
    parts += [provider_terms_section(study)] if study.remote else []
    parts += [stored_here_section(study), without_sending(study), forgetting(study)]
    return DataStatement("\n\n".join(parts) + "\n")


def _study(flow: Flow | None, corpus: Corpus | None, project: Project) -> StatementSubject:
    if corpus is not None:
        require_corpus(corpus, "a data statement")
    if flow is None:
        names = dict.fromkeys(name for names in project.settings.sets.values() for name in names)
        return StatementSubject(project, None, corpus, (), tuple(named_model(name, project) for name in names), 1)
    plan = Plan(flow.steps, corpus or Corpus([]), project)
    asked = [slot.model for slots in plan.slots.values() for slot in slots]
    times = sum(model is not None and model.remote for model in asked)
    return StatementSubject(project, flow.name, corpus, plan.steps, tuple(plan.models), times)


def _head(study: StatementSubject, date: dt.date | str | None) -> str:
    about = (
        f"of the flow {code(study.flow)}" if study.flow else "with the models of the project's sets (no flow is named)"
    )
    lines = [f"# Data statement: {code(study.project.name)}"]
    lines += [f"Date: {strip_markup(str(date))}"] if date is not None else []
    lines.append(
        f"What would happen to texts in a run {about}. It was put together by the software from the study's own "
        "settings, and nothing was sent for it. Whether that is acceptable is for the researchers and their ethics "
        "board to decide."
    )
    return "\n\n".join(lines)


def _short(study: StatementSubject) -> str:
    if not study.remote:
        found = ["**No text leaves** this machine or a server that the project calls its own."]
    elif not study.leaves:
        found = ["**No text leaves**: the project is `local_only`, so its remote models are refused."]
    else:
        found = [f"**Texts leave this machine**, to {code_list(study.providers)}."]
    if study.corpus is not None:
        found.append(_records(study, study.corpus))
    waiting = [name for name in study.providers if name not in study.project.client.consent.recipients]
    if waiting and study.leaves:
        calls = code_list(f'bm.allow("{name}")' for name in waiting)
        found.append(
            f"Nobody has allowed {code_list(waiting)} yet: nothing is sent there until somebody writes {calls}, or the "
            "same under `allow:` in buttermilk.yaml."
        )
    return f"## In short\n\n{bullets(found)}"


def _records(study: StatementSubject, corpus: Corpus) -> str:
    stay = sum(record.local_only for record in corpus)
    said = pluralise(len(corpus), "record")
    if not stay:
        return f"{said}; none is marked `local_only`."
    never = "never sent to a remote model" if study.remote else "which would keep it here with remote models too"
    return f"{said}, of which {stay:,} {'is' if stay == 1 else 'are'} marked `local_only`: {never}."
