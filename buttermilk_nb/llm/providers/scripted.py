"""`scripted/...`: answers written for teaching, looked up by record and task, without a model.

A lesson on reasons, disagreement and synthesis needs answers that are worth reading and the same for everybody.
`scripted/careful` looks them up in `careful.jsonl`, in the folder that `scripted:` in `buttermilk.yaml` names. They go
through the same client, cache, parser and tables as the answers of any model.

A line of such a file is one answer:

```
{"task": "judge", "record_id": "a001", "criteria": "respect", "replicate": 0, "answer": {"criteria": {...}}}
{"task": "match", "record_id": "a001", "criteria": "respect", "of": "careful/0", "replicate": 0, "answer": {...}}
{"task": "pairwise", "record_id": "p001", "criteria": "respect", "order": "swapped", "replicate": 0, "answer": {...}}
```

Tasks are `judge`, `synthesise`, `differences`, `match` and `pairwise`. Each order of a pair has its own answer, which
names the texts in that order, `Text A` and `Text B`. If an answer refers to other answers (`of`, and `answers` in
differences), it names them by voice and replicate, such as `careful/0`; these names are then replaced by the labels
under which the answers are shown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from ..._internal.ids import canonical, digest
from ..._internal.text import pluralise
from ..._internal.yaml import read_text
from ...codebook.criteria import Criteria
from ...config.model_settings import ModelSettings
from ...errors import SetupError, SkippedCell, nearest
from ...schema import now
from ..completion import Completion
from ..model import Model, Request
from ..offline_input import AnonymisedAnswer, OfflineInput, Task

_FAMILY = "scripted/"
_TASKS: tuple[str, ...] = get_args(Task)
_Key = tuple[str, str, str, int, str]


class ScriptedModel(Model):
    """Looks up the written answer for a record and a task.

    Parameters
    ----------
    name
        `scripted/voice`.
    settings
        The project's settings for this model.
    folder
        The folder with `voice.jsonl`.

    Raises
    ------
    SetupError
        The file does not exist, or a line of it is not an answer.
    """

    remote = False
    in_process = True
    description = "answers written for teaching; no model was asked"

    def __init__(self, name: str, settings: ModelSettings, folder: Path | None) -> None:
        super().__init__(name, settings)
        voice = self.full_name.removeprefix(_FAMILY)
        if folder is None:
            raise SetupError(
                f"model `{name}` looks up answers in a folder, but buttermilk.yaml does not name one; "
                'add a line such as `scripted: ../data/panel`, or bm.init(..., scripted="../data/panel").'
            )
        path = folder / f"{voice}.jsonl"
        if not path.is_file():
            voices = sorted(file.stem for file in folder.glob("*.jsonl"))
            raise SetupError(f"model `{name}`: there is no file `{path.name}` in `{folder}`; {nearest(voice, voices)}")
        text = read_text(path)
        self._hash = digest("ks1", text)
        self._answers = _parse_script(text, path.name)

    def split_params(self, params: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        return {}, dict(params)

    def price(self) -> tuple[float, float]:
        return 0.0, 0.0

    def design_parts(self, criteria: Criteria | None) -> dict[str, str]:  # noqa: ARG002  # one file for all
        return {"script": self._hash}

    def key_parts(self, offline_input: OfflineInput | None) -> dict[str, str]:
        if offline_input is None:
            return {"script": self._hash}
        # in the key because the messages do not show it: the voices, and the order of a pair of equal texts
        voices = [_voice(answer) for answer in offline_input.answers]
        order = [offline_input.order] if offline_input.order else []
        name = offline_input.criteria.name if offline_input.criteria else ""
        return {
            "script": self._hash,
            "about": digest("ks3", offline_input.task, offline_input.record.record_id, name, *voices, *order),
        }

    def skip_reason(self, offline_input: OfflineInput | None) -> SkippedCell | None:
        if offline_input is None or any(self._lookup_key(offline_input, n) in self._answers for n in range(100)):
            return None
        return _no_answer(self.name)

    async def complete(self, request: Request) -> Completion:
        offline_input = request.offline_input
        if offline_input is None or offline_input.criteria is None:
            raise SkippedCell(f"`{self.name}` has answers on criteria only; this agent asks for free text.")
        answer = self._answers.get(self._lookup_key(offline_input, request.replicate))
        if answer is None:
            raise _no_answer(self.name)
        text = json.dumps(_translate_names(answer, offline_input.answers), ensure_ascii=False)
        return Completion(
            text=text,
            finish_reason="stop",
            model_served=self.name,
            fingerprint="written for teaching",
            tokens_in=0,
            tokens_out=0,
            cost_usd=0.0,
            latency_s=0.0,
            answered_at=now(),
            raw=text,
        )

    def _lookup_key(self, offline_input: OfflineInput, replicate: int) -> _Key:
        answers, criteria = offline_input.answers, offline_input.criteria
        assert criteria is not None
        detail = _voice(answers[0]) if offline_input.task == "match" and answers else offline_input.order
        return offline_input.task, offline_input.record.record_id, criteria.name, replicate, detail


def _no_answer(name: str) -> SkippedCell:
    return SkippedCell(f"`{name}` has no written answer for this record and task.")


def _voice(answer: AnonymisedAnswer) -> str:
    """The name of an answer in scripts, such as `careful/0`."""
    return f"{answer.model.removeprefix(_FAMILY)}/{answer.replicate}"


def _translate_names(answer: dict[str, Any], shown_answers: tuple[AnonymisedAnswer, ...]) -> dict[str, Any]:
    """The answer with the labels of the answers that it names; an answer of another form stays as it is."""
    try:
        labels = {_voice(shown): shown.label for shown in shown_answers}
        return {**answer, "divergences": _translate_divergences(answer, labels)}
    except (KeyError, TypeError):
        return answer


def _translate_divergences(answer: Mapping[str, Any], labels: Mapping[str, str]) -> list[dict[str, Any]]:
    topics = []
    for divergence in answer["divergences"]:
        all_positions = [
            {**position, "answers": [labels[name] for name in position["answers"] if name in labels]}
            for position in divergence["positions"]
        ]
        positions = [position for position in all_positions if position["answers"]]
        if len(positions) > 1 or len(all_positions) < 2:  # if only some answers are shown, they may not diverge
            topics.append({**divergence, "positions": positions})
    return topics


def _parse_script(text: str, file: str) -> dict[_Key, dict[str, Any]]:
    answers: dict[_Key, dict[str, Any]] = {}
    for n, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            if entry["task"] not in _TASKS:
                raise ValueError(f"there is no task `{entry['task']}`; {nearest(str(entry['task']), _TASKS)}")
            key = (
                str(entry["task"]),
                str(entry["record_id"]),
                str(entry["criteria"]),
                int(entry.get("replicate", 0)),
                str(entry.get("order", "given") if entry["task"] == "pairwise" else entry.get("of", "")),
            )
            answer = dict(entry["answer"])
        except (ValueError, TypeError, KeyError) as error:
            raise SetupError(
                f"`{file}`, line {n}: not an answer; a line has `task`, `record_id`, `criteria` and `answer` ({error})."
            ) from None
        if canonical(answers.setdefault(key, answer)) != canonical(answer):
            raise SetupError(f"`{file}`, line {n}: there is another answer for {' · '.join(map(str, key))} above.")
    if not answers:
        raise SetupError(f"`{file}` contains no answers ({pluralise(len(text), 'character')}).")
    return answers
