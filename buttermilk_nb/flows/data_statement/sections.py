"""Of a data statement: which texts would leave, to whom, and where to look for what is done with them there."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from ..._internal.markdown import bullets, code, code_list, join_names
from ..._internal.text import pluralise
from ...agents.llm_agent import Agent
from ...corpus.corpus import Corpus
from ...llm.model import Model
from ...llm.providers.litellm import LitellmModel
from ...project.project import Project
from ..step import Step
from .provider_terms import RELAYS, TERMS

_FIELD_WORDS = {"content": "the text", "record_id": "its id", "uri": "where it came from", "mime": "its media type"}
_ALL_METADATA = frozenset({"metadata", "metadata.*"})
_TERMS_SECTION = """## What happens to them there

A provider's terms decide that, and the contract that the account belongs to; this software neither knows nor decides
it. Terms change: read them, note the date, and keep a copy with the study. Look for

- **training**: whether texts that are sent through the API are used to train or improve models, and how that is ruled
  out;
- **retention**: for how long texts and answers are kept, by whom they can be read meanwhile (monitoring for abuse
  counts), and how deletion is asked for;
- **region**: in which countries texts are processed and kept, and whether one can be chosen;
- **agreements**: whether your institution has a data processing agreement, or one on zero retention, and whether this
  account and these models are covered by it.

Where to look:

"""
_LOCAL_SERVER_NOTE = """

That a server keeps what it gets is taken for granted where it runs on this machine or is called one's own. One that
passes texts on (a gateway, a model that Ollama runs in its cloud) needs `local: false` in buttermilk.yaml."""


class StatementSubject(NamedTuple):
    """What a statement is about."""

    project: Project
    flow: str | None
    corpus: Corpus | None
    steps: tuple[Step, ...]
    models: tuple[Model, ...]
    times: int
    """How often a record is put to remote models."""

    @property
    def remote(self) -> list[Model]:
        """The models to which texts would leave."""
        return [model for model in self.models if model.remote]

    @property
    def providers(self) -> list[str]:
        """Who would get them."""
        return list(dict.fromkeys(model.recipient for model in self.remote))

    @property
    def sends_texts(self) -> bool:
        """Whether anything can leave at all."""
        return bool(self.remote) and not self.project.settings.local_only


def texts_section(subject: StatementSubject) -> str:
    """The section on what is read of each record."""
    lines: list[str] = []
    if subject.corpus is None:
        lines.append("No corpus was named, so nothing is counted here.")
    elif subject.sends_texts:
        lines += _size_lines(subject, subject.corpus)
    lines += [_step_line(step, subject.corpus) for step in subject.steps]
    if not subject.steps:
        lines.append("No flow was named. A prompt can show all that a record holds: text, metadata, images, its id.")
    matching = [step.name for step in subject.steps if _shows_reasons(step)]
    if matching:
        lines.append(
            f"Step {code_list(matching)} also shows the experts' reasons. Experts' answers and human codes are never "
            "part of a prompt."
        )
    else:
        lines.append("Experts' answers, experts' reasons and human codes are never part of a prompt.")
    lines.append(_redaction_line(subject.project))
    if subject.remote:
        lines.append("What has been answered already comes from the cache and is not sent again.")
    return f"## Which texts\n\n{bullets(lines)}"


def _shows_reasons(step: Step) -> bool:
    return isinstance(step.agent, Agent) and "expert_reasons" in step.agent.prompt.names


def _size_lines(subject: StatementSubject, corpus: Corpus) -> list[str]:
    leaving = [record for record in corpus if not record.local_only]
    characters = sum(len(record.content) for record in leaving)
    images = sum(len(record.images) for record in leaving)
    prompts = [step.agent.prompt for step in subject.steps if isinstance(step.agent, Agent)]
    images_shown = not subject.steps or any(prompt.shows_images for prompt in prompts)
    also = f" and {pluralise(images, 'image')}" if images and images_shown else ""
    lines = [f"Of {len(leaving):,} of {len(corpus):,} records {characters:,} characters of text{also} would leave."]
    if subject.flow is not None:
        times = {0: "only where another model fails", 1: "once", 2: "twice"}.get(
            subject.times, f"{subject.times:,} times"
        )
        lines.append(
            f"Each of these records is put to remote models {times}: models, sets of questions and repetitions "
            "together. Questions that are asked one by one, and calls that fail and are sent again, add to that."
        )
    return lines


def _step_line(step: Step, corpus: Corpus | None) -> str:
    if not isinstance(step.agent, Agent):
        return (
            f"Step {code(step.name)} is no prompt but a program of the researchers' own. What it does with texts "
            "cannot be seen from here: look at its code."
        )
    prompt = step.agent.prompt
    fields = [_FIELD_WORDS.get(name, code(name)) for name in sorted(prompt.fields - _ALL_METADATA) if name != "images"]
    if prompt.fields & _ALL_METADATA:
        names = sorted({name for record in corpus or () for name in record.metadata})
        fields.append(f"all its metadata ({code_list(names)})" if names else "all its metadata")
    if prompt.shows_images and (corpus is None or any(record.images for record in corpus)):
        fields.append("its images")
    if prompt.names & {"inputs", "answers"}:
        steps = sorted(prompt.inputs & set(step.needs)) or step.needs
        fields.append(f"the answers of {code_list(steps)}, which may quote the text")
    return f"Step {code(step.name)} shows of a record: {join_names(fields) or 'nothing'}."


def _redaction_line(project: Project) -> str:
    policy = project.redaction
    if policy is None:
        return "Nothing is taken out of texts before they are sent (`redact:` in buttermilk.yaml would do so)."
    kinds = [*policy.patterns, *([policy.find.__name__] if policy.find else [])]
    return (
        f"Before a text goes to a remote model, this is replaced by placeholders: {code_list(kinds)}. What is not "
        "recognised is sent as it stands. Models on this machine get the whole text."
    )


def recipients_section(subject: StatementSubject) -> str:
    """The section on models and providers."""
    if not subject.models:
        return "## To whom\n\nNo step asks a model."
    rows = ["| Model | Belongs to | Where it runs | May texts go there? |", "|---|---|---|---|"]
    for model in subject.models:
        name = code(model.name) + (f" ({code(model.full_name)})" if model.full_name != model.name else "")
        rows.append(f"| {name} | {code(model.provider)} | {_location(model)} | {_consent(model, subject.project)} |")
    has_local_server = any(isinstance(model, LitellmModel) and not model.remote for model in subject.models)
    return "## To whom\n\n" + "\n".join(rows) + (_LOCAL_SERVER_NOTE if has_local_server else "")


def _location(model: Model) -> str:
    if not isinstance(model, LitellmModel):
        return "in this program; not a language model"
    at = f"at {code(_address(model.base))}" if model.base else "at the provider's own address"
    if model.remote:
        return f"elsewhere, {at}"
    return f"on a server of one's own, {at}" if model.settings.local else f"on this machine, {at}"


def _address(base: str) -> str:
    """Scheme, host and port: what else an address holds may be a password."""
    parts = urlsplit(base if "//" in base else f"//{base}")
    scheme = f"{parts.scheme}://" if parts.scheme else ""
    return f"{scheme}{parts.netloc.rpartition('@')[2]}"


def _consent(model: Model, project: Project) -> str:
    if not model.remote:
        return "nothing leaves"
    if project.settings.local_only:
        return "no: the project is `local_only`"
    return "yes, allowed" if project.client.consent.is_allowed(model) else "not yet"


def provider_terms_section(subject: StatementSubject) -> str:
    """The section on what providers do with texts: what to look for, and where."""
    return _TERMS_SECTION + bullets(dict.fromkeys(_terms_line(model) for model in subject.remote))


def _terms_line(model: Model) -> str:
    provider, address = model.provider, TERMS.get(model.provider)
    relay_note = " It passes texts on to other companies, whose terms count too." if provider in RELAYS else ""
    if isinstance(model, LitellmModel) and model.base:
        terms = f"<{address}> where that is the provider's own server; else " if address else ""
        return f"{code(provider)} at {code(_address(model.base))}: {terms}ask whoever runs it.{relay_note}"
    return f"{code(provider)}: {f'<{address}>' if address else 'look for the terms of its API.'}{relay_note}"


def stored_here_section(subject: StatementSubject) -> str:
    """The section on what is kept on this machine, and where keys come from."""
    project = subject.project
    folder = (
        "in the project's folder" if project.data_folder.folder == project.folder else "in this computer's data folder"
    )
    key_sources = ["what is typed", "the environment"]
    key_sources += [f"the file {code(project.settings.dotenv)}"] if project.settings.dotenv else []
    key_sources += ["the system's keyring"]
    key_sources += [code(key) for key in dict.fromkeys(model.settings.key for model in subject.models) if key]
    lines = [
        f"`traces.duckdb` {folder} is the evidence: the texts, each prompt as sent, each answer, to whom and when. "
        f"`cache` {folder} holds the answers. Neither is encrypted: whoever can read the folder can read them.",
        "`logs` in the project's folder holds what happened when: counts, models, messages of errors.",
        "What redaction took out stays in `traces.duckdb` and is left out of exports.",
        f"Keys come from {', '.join(key_sources)}. They are kept out of the cache, the traces, the logs and the notebook.",
        "A notebook that is saved with its outputs holds whatever those show, texts included.",
    ]
    return f"## What stays here\n\n{bullets(lines)}"


def alternatives_section(subject: StatementSubject) -> str:
    """The section on what could be done on this machine alone."""
    local_models = [model.name for model in subject.models if not model.remote]
    local_note = (
        f" Of its models, {code_list(local_models)} need nobody else." if local_models and subject.remote else ""
    )
    lines = [
        "`offline/strict` and `offline/lenient` count the cue words of a criterion, in this program. They understand "
        f"nothing, and are the baseline to compare a language model with.{local_note}",
        "Language models can run on this machine or on a server of the institution (Ollama, LM Studio, llama.cpp, "
        "vLLM): `ollama_chat/...`, or an address under `models:` in buttermilk.yaml, with `local: true` where it is "
        "one's own.",
        "`local_only: true` in buttermilk.yaml refuses every remote model. `corpus.mark_local_only()` does so for the "
        "records of a corpus; single records can be marked too.",
    ]
    return f"## How to do it without sending anything\n\n{bullets(lines)}"


def erasure_section(subject: StatementSubject) -> str:
    """The section on a person who withdraws."""
    lines = [
        "`project.evidence.forget(record_id=...)` removes a record from the cache and the traces here, with all that "
        "was asked and answered about it, and notes that something was removed."
    ]
    if subject.remote:
        lines.append(
            'What was sent cannot be called back from here. `bm.sql("select * from egress")` lists which record\'s '
            "text went to whom, and when; deletion there has to be asked of the provider."
        )
    lines.append("Copies are not reached by it: exports, bundles, back-ups, saved notebooks, the source file.")
    return f"## If a person withdraws\n\n{bullets(lines)}"
