"""The sections of a data statement: texts, recipients, terms, storage, alternatives and erasure."""

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

_FIELD_WORDS = {"content": "the text", "record_id": "its id", "uri": "its source", "mime": "its media type"}
_ALL_METADATA = frozenset({"metadata", "metadata.*"})
_TERMS_SECTION = """## What the providers do with the texts

This depends on the provider's terms and on the contract of your account; this software neither knows nor controls it.
Terms change: read them, note the date, and keep a copy with the study. Look for

- **training**: whether the provider uses texts that are sent through the API to train or improve models, and how you
  can prevent that;
- **retention**: how long texts and answers are stored, who can read them during that time (also for abuse
  monitoring), and how you can request their deletion;
- **region**: the countries in which texts are processed and stored, and whether you can choose one;
- **agreements**: whether your institution has a data processing agreement or a zero-retention agreement, and whether
  it covers this account and these models.

Where to look:

"""
_LOCAL_SERVER_NOTE = """

The software assumes that a server on this machine, or one that you declare as your own, does not pass texts on. It
does not check this. A server that does pass texts on (a gateway, or a model that Ollama runs in its cloud) needs
`local: false` in buttermilk.yaml."""


class StatementSubject(NamedTuple):
    """The study that a statement describes."""

    project: Project
    flow: str | None
    corpus: Corpus | None
    steps: tuple[Step, ...]
    models: tuple[Model, ...]
    times: int
    """How often each record is sent to remote models."""

    @property
    def remote(self) -> list[Model]:
        """The models to which texts would be sent."""
        return [model for model in self.models if model.remote]

    @property
    def providers(self) -> list[str]:
        """The recipients of the texts."""
        return list(dict.fromkeys(model.recipient for model in self.remote))

    @property
    def sends_texts(self) -> bool:
        """Whether any text can be sent."""
        return bool(self.remote) and not self.project.settings.local_only


def texts_section(subject: StatementSubject) -> str:
    """The section on which parts of a record are sent."""
    lines: list[str] = []
    if subject.corpus is None:
        lines.append("This statement was made without a corpus, so texts are not counted.")
    elif subject.sends_texts:
        lines += _size_lines(subject, subject.corpus)
    lines += [_step_line(step, subject.corpus) for step in subject.steps]
    if not subject.steps:
        lines.append(
            "This statement was made without a flow. A prompt can show every part of a record: text, metadata, images "
            "and id."
        )
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
        lines.append("Answers that exist already come from the cache; their texts are not sent again.")
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
    lines = [
        f"{pluralise(characters, 'character')} of text{also}, from {len(leaving):,} of {len(corpus):,} records, would "
        "be sent."
    ]
    if subject.flow is not None:
        times = {0: "only where another model fails", 1: "once", 2: "twice"}.get(
            subject.times, f"{subject.times:,} times"
        )
        lines.append(
            f"Each of these records is sent to remote models {times}, counting models, sets of questions and "
            "repetitions. Questions that are asked separately, and failed calls that are sent again, add to this."
        )
    return lines


def _step_line(step: Step, corpus: Corpus | None) -> str:
    if not isinstance(step.agent, Agent):
        return (
            f"Step {code(step.name)} is not a prompt, but the researchers' own code. This statement cannot say what it "
            "does with texts: read its code."
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
    return f"Step {code(step.name)} shows from each record: {join_names(fields) or 'nothing'}."


def _redaction_line(project: Project) -> str:
    policy = project.redaction
    if policy is None:
        return "Texts are sent without redaction; to redact them, use `redact:` in buttermilk.yaml."
    kinds = [*policy.patterns, *([policy.find.__name__] if policy.find else [])]
    return (
        f"Before a text is sent to a remote model, placeholders replace these parts: {code_list(kinds)}. Parts that "
        "are not recognised are sent unchanged. Models on this machine get the whole text."
    )


def recipients_section(subject: StatementSubject) -> str:
    """The section on the models and their providers."""
    if not subject.models:
        return "## Recipients\n\nNo step calls a model."
    rows = ["| Model | Provider | Where it runs | May texts be sent there? |", "|---|---|---|---|"]
    for model in subject.models:
        name = code(model.name) + (f" ({code(model.full_name)})" if model.full_name != model.name else "")
        rows.append(f"| {name} | {code(model.provider)} | {_location(model)} | {_consent(model, subject.project)} |")
    has_local_server = any(isinstance(model, LitellmModel) and not model.remote for model in subject.models)
    return "## Recipients\n\n" + "\n".join(rows) + (_LOCAL_SERVER_NOTE if has_local_server else "")


def _location(model: Model) -> str:
    if not isinstance(model, LitellmModel):
        return "in this program; not a language model"
    at = f"at {code(_address(model.base))}" if model.base else "at the provider's own address"
    if model.remote:
        return f"remote, {at}"
    return f"on the study's own server, {at}" if model.settings.local else f"on this machine, {at}"


def _address(base: str) -> str:
    """Scheme, host and port of an address; its other parts may contain a password."""
    parts = urlsplit(base if "//" in base else f"//{base}")
    scheme = f"{parts.scheme}://" if parts.scheme else ""
    return f"{scheme}{parts.netloc.rpartition('@')[2]}"


def _consent(model: Model, project: Project) -> str:
    if not model.remote:
        return "consent is not needed"
    if project.settings.local_only:
        return "no: the project is `local_only`"
    return "yes, allowed" if project.client.consent.is_allowed(model) else "not yet"


def provider_terms_section(subject: StatementSubject) -> str:
    """The section on the providers' terms: what to look for, and where."""
    return _TERMS_SECTION + bullets(dict.fromkeys(_terms_line(model) for model in subject.remote))


def _terms_line(model: Model) -> str:
    provider, address = model.provider, TERMS.get(model.provider)
    relay_note = " It passes texts on to other companies, and their terms apply too." if provider in RELAYS else ""
    if isinstance(model, LitellmModel) and model.base:
        terms = f"<{address}> if this is the provider's own server; if not, " if address else ""
        return f"{code(provider)} at {code(_address(model.base))}: {terms}ask the operator of the server.{relay_note}"
    return f"{code(provider)}: {f'<{address}>' if address else 'look for the terms of its API.'}{relay_note}"


def stored_here_section(subject: StatementSubject) -> str:
    """The section on what is stored on this machine, and where keys come from."""
    project = subject.project
    folder = (
        "in the project's folder" if project.data_folder.folder == project.folder else "in this computer's data folder"
    )
    key_sources = ["keyboard input", "the environment"]
    key_sources += [f"the file {code(project.settings.dotenv)}"] if project.settings.dotenv else []
    key_sources += ["the system's keyring"]
    key_sources += [code(key) for key in dict.fromkeys(model.settings.key for model in subject.models) if key]
    lines = [
        f"`traces.duckdb` {folder} is the evidence: the texts, each prompt as sent, each answer, the recipients and "
        f"the times. `cache` {folder} contains the answers. Neither is encrypted: everyone with access to the folder "
        "can read them.",
        "`logs` in the project's folder contains events and their times: counts, models, error messages.",
        "Redacted parts of texts stay in `traces.duckdb`, and are left out of exports.",
        f"Keys come from {join_names(key_sources)}. They are not stored in the cache, traces, logs or notebook.",
        "A notebook that is saved with its outputs contains everything that they show, also texts.",
    ]
    return f"## What is stored on this machine\n\n{bullets(lines)}"


def alternatives_section(subject: StatementSubject) -> str:
    """The section on models that run on this machine."""
    local_models = [model.name for model in subject.models if not model.remote]
    local_note = (
        f" In this study, these models run locally: {code_list(local_models)}."
        if local_models and subject.remote
        else ""
    )
    lines = [
        "`offline/strict` and `offline/lenient` run in this program and count the cue words of a criterion. They do "
        f"not understand texts, and are a baseline for comparison with language models.{local_note}",
        "Language models can run on this machine or on a server of the institution (Ollama, LM Studio, llama.cpp, "
        "vLLM): `ollama_chat/...`, or an address under `models:` in buttermilk.yaml, with `local: true` if the "
        "server is your own.",
        "`local_only: true` in buttermilk.yaml refuses every remote model. `corpus.mark_local_only()` refuses them for "
        "the records of a corpus; you can also mark single records.",
    ]
    return f"## Alternatives without sending texts\n\n{bullets(lines)}"


def erasure_section(subject: StatementSubject) -> str:
    """The section on the erasure of a person's data."""
    lines = [
        "`project.evidence.forget(record_id=...)` removes a record from the cache and the traces on this machine, "
        "with all requests and answers about it, and notes that a record was removed."
    ]
    if subject.remote:
        lines.append(
            'This software cannot delete texts at a provider. `bm.sql("select * from egress")` lists the recipient and '
            "the time for each record that was sent; request the deletion from the provider."
        )
    lines.append("`forget` does not remove copies: exports, bundles, backups, saved notebooks, the source file.")
    return f"## If a person withdraws\n\n{bullets(lines)}"
