"""Offline models: rule-based baselines, and a teaching model of known error. No language model is asked.

`offline/strict` and `offline/lenient` are the dictionary method (see `dictionary.py`) on the cues that
a criterion carries. *Strict* is strict with the text: every cue that is not negated counts, quoted or
not, and a tie goes to the finding. *Lenient* gives the text the benefit of the doubt: quoted cues do not
count either, and a tie goes to the other side. They go through the same client, cache, parser and
tables as any model, and are useful as the baseline beside LLM judges.

`offline/teaching?accuracy=.9&bias=0&seed=1` answers from the truth column with tunable error, for
courses and power simulations: with probability `accuracy` the truth, else another answer; a `bias` of
b in [-1, 1] turns that share of all answers into the flagged (b > 0) or an unflagged (b < 0) answer.
"""

from __future__ import annotations

import json
import random
from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping
from typing import Any

from ...._internal.event_loop import process_text
from ...._internal.ids import canonical, digest
from ....codebook.criteria import Criteria
from ....codebook.criterion import Criterion
from ....corpus.record import Record
from ....errors import InvalidAnswer, SetupError, SkippedCell
from ....schema import now
from ...completion import Completion
from ...model import Model, Request
from ...offline_input import OfflineInput
from ..model_options import parse_options
from .dictionary import Hit, compiled_cues
from .rules import answer_by_rule

_NO_RULES = digest("kq1", canonical([]))
_RULES = "2"  # raise it when a rule changes: old answers must not be served for new rules


class _OfflineModel(Model):
    """What offline models share: no parameters, no key, no cost, the same answer each time."""

    remote = False
    in_process = True
    deterministic = True
    ties_go_to_flag = True
    """Whether a tie among answers that it is shown goes to the finding."""

    def split_params(self, params: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        return {}, dict(params)

    def price(self) -> tuple[float, float]:
        return 0.0, 0.0

    def skip_reason(self, offline_input: OfflineInput | None) -> SkippedCell | None:
        if offline_input is None or offline_input.criteria is None:
            return None
        try:
            if offline_input.task != "judge":
                answer_by_rule(offline_input, strict=True)
                return None
            for criterion in offline_input.criteria.criteria:
                self.answer(offline_input.record, criterion, 0)
        except SkippedCell as error:
            return error
        return None

    async def complete(self, request: Request) -> Completion:
        if request.offline_input is None or request.offline_input.criteria is None:
            raise SkippedCell(f"`{self.name}` answers criteria only; this agent asks for free text.")
        is_judging = request.offline_input.task == "judge"
        n_characters = len(request.offline_input.record.content if is_judging else request.text)
        text = await process_text(n_characters, self._reply, request.offline_input, request.replicate)
        return Completion(
            text=text,
            finish_reason="stop",
            model_served=self.name,
            fingerprint=f"rules {_RULES}",
            tokens_in=0,
            tokens_out=0,
            cost_usd=0.0,
            latency_s=0.0,
            answered_at=now(),
            raw=text,
        )

    def _reply(self, offline_input: OfflineInput, replicate: int) -> str:
        """The answer to a task, as JSON."""
        assert offline_input.criteria is not None
        if offline_input.task != "judge":
            return json.dumps(answer_by_rule(offline_input, strict=self.ties_go_to_flag), ensure_ascii=False)
        answers = {c.name: self.answer(offline_input.record, c, replicate) for c in offline_input.criteria.criteria}
        return json.dumps({"criteria": answers}, ensure_ascii=False)

    @abstractmethod
    def answer(self, record: Record, criterion: Criterion, replicate: int) -> dict[str, Any]:
        """Reasons, conclusion, answer and uncertainty on one criterion."""


class DictionaryModel(_OfflineModel):
    """`offline/strict` and `offline/lenient`."""

    description = "a rule-based baseline that counts cue words; not a language model"
    needs_cues = True

    def __init__(self, name: str, options: dict[str, str]) -> None:
        super().__init__(name)
        parse_options(name, options, {})
        self._strict = self.ties_go_to_flag = name.partition("?")[0].endswith("strict")

    def design_parts(self, criteria: Criteria | None) -> dict[str, str]:
        return {"rules": _RULES, "cues": criteria.rules_hash if criteria else _NO_RULES}

    def key_parts(self, offline_input: OfflineInput | None) -> dict[str, str]:
        parts = self.design_parts(offline_input.criteria if offline_input else None)
        return parts | {"record": offline_input.record.record_hash} if offline_input else parts

    def validate(self, criteria: Criteria | None) -> list[str]:
        return [
            f"criterion `{c.name}` does not say which answer `{self.name}` gives to a text without cues; "
            f"give one answer an empty list, for example `{c.scale.answers[-1]}: []`, or allow `cannot tell`."
            for c in (criteria.criteria if criteria else ())
            if c.cues and c.scale.offline_rule == "most cues" and _default_answer(c) is None
        ]

    def answer(self, record: Record, criterion: Criterion, replicate: int) -> dict[str, Any]:  # noqa: ARG002
        if record.images and not record.content.strip():
            raise SkippedCell(f"record `{record.record_id}` has no text, and `{self.name}` does not look at images.")
        if not criterion.cues:
            example = criterion.scale.answers[0] if criterion.scale.answers else "0"
            raise SkippedCell(
                f"criterion `{criterion.name}` has no cues for `{self.name}`; add a line such as "
                f"`cues: {{{example}: [word, other word*]}}`."
            )
        hits = compiled_cues(tuple(criterion.cues.items())).find(record.content)
        counted = [hit for hit in hits if not hit.negated and (self._strict or not hit.quoted)]
        chosen, margin = self._decide(counted, criterion)
        count = Counter(hit.answer for hit in counted)
        tally = ", ".join(f"{n} for {answer}" for answer, n in count.most_common()) or "none"
        left_out = len(hits) - len(counted)
        return {
            "reasons": [_cue_reason(record.content, hit) for hit in counted[:5]] or ["No cue was found."],
            "conclusion": f"Rule-based baseline, not a language model. Cues: {tally}; left out: {left_out}.",
            "answer": chosen,
            "uncertainty": "low" if margin > 1 else "medium" if margin == 1 else "high",
        }

    def _decide(self, hits: list[Hit], criterion: Criterion) -> tuple[Any, int]:
        """The answer, and by how many cues it leads."""
        scale = criterion.scale
        if scale.offline_rule == "every cue":
            return sorted({hit.answer for hit in hits}), len(hits)
        if not hits:
            return _default_answer(criterion), 0
        if scale.offline_rule == "mean of cues":
            return scale.nearest_answer(sum(float(hit.answer) for hit in hits) / len(hits)), len(hits)
        count = Counter(hit.answer for hit in hits)
        most = max(count.values())
        tied = [answer for answer in scale.answers if count[answer] == most]
        if len(tied) > 1:
            flagged = [a for a in tied if criterion.flagged(criterion.parse(a))]
            others = [a for a in tied if a not in flagged]
            return ((flagged or tied) if self._strict else (others or tied))[0], 0
        rest = max((n for answer, n in count.items() if answer != tied[0]), default=0)
        return tied[0], most - rest


class TeachingModel(_OfflineModel):
    """`offline/teaching`: the truth, with error of a known kind."""

    description = "a simulated coder of known error, made from the truth column; not a language model"
    deterministic = False

    def __init__(self, name: str, options: dict[str, str]) -> None:
        super().__init__(name)
        given = parse_options(name, options, {"accuracy": 0.9, "bias": 0.0, "seed": 1.0})
        if not 0 <= given["accuracy"] <= 1 or not -1 <= given["bias"] <= 1:
            raise SetupError(f"model `{name}`: accuracy lies between 0 and 1, bias between -1 and 1.")
        self._options = given

    def validate(self, criteria: Criteria | None) -> list[str]:
        unflagged = [c.name for c in (criteria.criteria if criteria else ()) if c.flag is None]
        if not self._options["bias"] or not unflagged:
            return []
        return [f"`{self.name}`: a bias pulls towards the flag, and criterion `{unflagged[0]}` declares none."]

    def design_parts(self, criteria: Criteria | None) -> dict[str, str]:
        flags = [[c.name, c.flag] for c in (criteria.criteria if criteria else ())]
        return {"rules": _RULES, "flags": digest("kf1", canonical(flags))}

    def extra_input(self, record: Record) -> str:
        return canonical(record.ground_truth)

    def key_parts(self, offline_input: OfflineInput | None) -> dict[str, str]:
        if offline_input is None or offline_input.criteria is None:
            return {}
        truth = {c.name: offline_input.record.truth_for(c.name) for c in offline_input.criteria}
        parts = self.design_parts(offline_input.criteria)
        return {**parts, "record": offline_input.record.record_hash, "truth": digest("kt1", canonical(truth))}

    def answer(self, record: Record, criterion: Criterion, replicate: int) -> dict[str, Any]:
        raw = record.truth_for(criterion.name)
        if raw is None:
            raise SkippedCell(f"`{self.name}` answers from the truth, and record `{record.record_id}` has none.")
        try:
            truth = criterion.parse(raw)
        except InvalidAnswer as error:
            raise SkippedCell(f"the truth of record `{record.record_id}`: {error}.") from None
        seed = digest("rng1", str(self._options["seed"]), self.name, record.record_hash, criterion.name, str(replicate))
        rng = random.Random(seed)  # noqa: S311  # a simulation, not a secret
        options: list[Any] = list(criterion.scale.answers)
        right: Any = truth.category
        if criterion.scale.offline_rule == "every cue":
            right = right if truth.is_non_answer else json.loads(str(right))
            options = [[], *([label] for label in options)]
        if not options:
            right = right if truth.is_non_answer else truth.value
            options = list(criterion.scale.bounds or (0.0, 1.0))
        others = [option for option in options if option != right] or options
        chosen = right if rng.random() < self._options["accuracy"] else rng.choice(others)
        if rng.random() < abs(self._options["bias"]):
            wanted = self._options["bias"] > 0
            pulled = [option for option in options if criterion.flagged(criterion.parse(option)) is wanted]
            chosen = rng.choice(pulled) if pulled else chosen
        return {
            "reasons": ["A simulated answer; there is no reasoning behind it."],
            "conclusion": f"Simulated from the truth column ({_format_options(self._options)}).",
            "answer": chosen,
            "uncertainty": rng.choice(["low", "medium", "high"]),
        }


def _default_answer(criterion: Criterion) -> Any:
    """The answer for a text without cues: the one with an empty list, else the only one without cues."""
    for answer, words in criterion.cues.items():
        if not words:
            return answer
    scale = criterion.scale
    without = [answer for answer in scale.answers if answer not in criterion.cues]
    if scale.offline_rule == "mean of cues":
        return without[0] if without else scale.bounds[0] if scale.bounds else None
    if len(without) == 1:
        return without[0]
    if scale.answers == ("yes", "no"):  # cues for both sides: a text without any holds no finding
        return next((a for a in scale.answers if criterion.flagged(criterion.parse(a)) is False), "no")
    return "cannot tell" if "cannot tell" in criterion.non_answers else None


def _format_options(options: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in options.items())


def _cue_reason(text: str, hit: Hit) -> str:
    start, end = max(0, hit.start - 30), min(len(text), hit.end + 30)
    around = " ".join(text[start:end].split())
    return (
        f"The cue `{hit.cue}` speaks for {hit.answer}: “{'…' if start else ''}{around}{'…' if end < len(text) else ''}”"
    )
