"""Of a data statement: what stays here, what could be done without sending anything, how a person is forgotten."""

from __future__ import annotations

from ..._internal.markdown import bullets, code, code_list
from .sections import StatementSubject


def stored_here_section(study: StatementSubject) -> str:
    """The section on what is kept on this machine, and where keys come from."""
    project = study.project
    lies = (
        "in the project's folder" if project.data_folder.folder == project.folder else "in this computer's data folder"
    )
    places = ["what is typed", "the environment"]
    places += [f"the file {code(project.settings.dotenv)}"] if project.settings.dotenv else []
    places += ["the system's keyring"]
    places += [code(key) for key in dict.fromkeys(model.settings.key for model in study.models) if key]
    found = [
        f"`traces.duckdb` {lies} is the evidence: the texts, each prompt as sent, each answer, to whom and when. "
        f"`cache` {lies} holds the answers. Neither is encrypted: whoever can read the folder can read them.",
        "`logs` in the project's folder holds what happened when: counts, models, messages of errors.",
        "What redaction took out stays in `traces.duckdb` and is left out of exports.",
        f"Keys come from {', '.join(places)}. They are kept out of the cache, the traces, the logs and the notebook.",
        "A notebook that is saved with its outputs holds whatever those show, texts included.",
    ]
    return f"## What stays here\n\n{bullets(found)}"


def without_sending(study: StatementSubject) -> str:
    """The section on what could be done on this machine alone."""
    here = [model.name for model in study.models if not model.remote]
    own = f" Of its models, {code_list(here)} need nobody else." if here and study.remote else ""
    found = [
        "`offline/strict` and `offline/lenient` count the cue words of a criterion, in this program. They understand "
        f"nothing, and are the baseline to compare a language model with.{own}",
        "Language models can run on this machine or on a server of the institution (Ollama, LM Studio, llama.cpp, "
        "vLLM): `ollama_chat/...`, or an address under `models:` in buttermilk.yaml, with `local: true` where it is "
        "one's own.",
        "`local_only: true` in buttermilk.yaml refuses every remote model. `corpus.mark_local_only()` does so for the "
        "records of a corpus; single records can be marked too.",
    ]
    return f"## How to do it without sending anything\n\n{bullets(found)}"


def forgetting(study: StatementSubject) -> str:
    """The section on a person who withdraws."""
    found = [
        "`project.evidence.forget(record_id=...)` removes a record from the cache and the traces here, with all that "
        "was asked and answered about it, and notes that something was removed."
    ]
    if study.remote:
        found.append(
            'What was sent cannot be called back from here. `bm.sql("select * from egress")` lists which record\'s '
            "text went to whom, and when; deletion there has to be asked of the provider."
        )
    found.append("Copies are not reached by it: exports, bundles, back-ups, saved notebooks, the source file.")
    return f"## If a person withdraws\n\n{bullets(found)}"
