"""Offline models: rule-based baselines, and a teaching model with a known error rate.

`offline/strict` and `offline/lenient` apply the dictionary method (see `dictionary.py`) to the cues of a criterion.
*Strict* is strict with the text: every cue that is not negated counts, quoted or not, and a tie goes to the flagged
answer. *Lenient* gives the text the benefit of the doubt: quoted cues do not count, and a tie goes to the unflagged
answer. They go through the same client, cache, parser and tables as any model, and serve as a baseline for LLM judges.

`offline/teaching?accuracy=.9&bias=0&seed=1` answers from the truth column with a chosen error, for courses and power
simulations: with probability `accuracy` it gives the truth, else another answer. A `bias` of b in [-1, 1] turns that
share of all answers into a flagged (b > 0) or an unflagged (b < 0) answer.
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
from .extract_rows import extract_rows
from .fill_schema import fill_schema
from .rules import answer_by_rule, write_first_sentence

_NO_RULES = digest("kq1", canonical([]))
_RULES = "2"  # raise it when a rule changes, so that cached answers of old rules are not used


class _OfflineModel(Model):
    """Base of offline models: no parameters, no key, no cost, the same answer each time."""

    remote = False
    in_process = True
    deterministic = True
    ties_go_to_flag = True
    """Whether a tie among the answers that it reads goes to the flagged answer."""

    def split_params(self, params: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        return {}, dict(params)

    def price(self) -> tuple[float, float]:
        return 0.0, 0.0

    def skip_reason(self, offline_input: OfflineInput | None) -> SkippedCell | None:
        if offline_input is None or offline_input.criteria is None or offline_input.task in ("extract", "fill"):
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
        if request.offline_input is None or not self.takes(request.offline_input):
            raise SkippedCell(f"`{self.name}` answers criteria only; this agent asks for something else.")
        is_judging = request.offline_input.task in ("judge", "extract")
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

    def takes(self, offline_input: OfflineInput) -> bool:
        """Whether the model has a rule for this task; most have rules for criteria alone."""
        return offline_input.criteria is not None and offline_input.task not in ("extract", "fill")

    def _reply(self, offline_input: OfflineInput, replicate: int) -> str:
        """The answer to a task: JSON, or free text."""
        if offline_input.task == "extract":
            record, columns, quote = offline_input.record, offline_input.columns or {}, offline_input.quote
            rows = extract_rows(record, columns, quote, offline_input.criteria, with_quoted=self.ties_go_to_flag)
            return json.dumps({"rows": rows}, ensure_ascii=False)
        if offline_input.task == "fill":
            return json.dumps(fill_schema(offline_input.schema or {}), ensure_ascii=False)
        if offline_input.criteria is None:
            return write_first_sentence(offline_input.record)
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

    def takes(self, offline_input: OfflineInput) -> bool:
        return offline_input.criteria is not None or offline_input.task in ("judge", "extract", "fill")

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
            raise SkippedCell(f"record `{record.record_id}` has no text, and `{self.name}` does not read images.")
        if not criterion.cues:
            example = criterion.scale.answers[0] if criterion.scale.answers else "0"
            raise SkippedCell(
                f"criterion `{criterion.name}` has no cues for `{self.name}`; add a line such as "
                f"`cues: {{{example}: [word, other word*]}}`."
            )
        hits = compiled_cues(tuple(criterion.cues.items())).find(record.content)
        counted_hits = [hit for hit in hits if not hit.negated and (self._strict or not hit.quoted)]
        answer, margin = self._decide(counted_hits, criterion)
        count = Counter(hit.answer for hit in counted_hits)
        tally = ", ".join(f"{n} for {category}" for category, n in count.most_common()) or "none"
        n_excluded = len(hits) - len(counted_hits)
        return {
            "reasons": [_cue_reason(record.content, hit) for hit in counted_hits[:5]] or ["No cue was found."],
            "conclusion": f"Rule-based baseline, not a language model. Cues: {tally}; left out: {n_excluded}.",
            "answer": answer,
            "uncertainty": "low" if margin > 1 else "medium" if margin == 1 else "high",
        }

    def _decide(self, hits: list[Hit], criterion: Criterion) -> tuple[Any, int]:
        """The answer, and the number of cues by which it leads."""
        scale = criterion.scale
        if scale.offline_rule == "every cue":
            return sorted({hit.answer for hit in hits}), len(hits)
        if not hits:
            return _default_answer(criterion), 0
        if scale.offline_rule == "mean of cues":
            return scale.nearest_answer(sum(float(hit.answer) for hit in hits) / len(hits)), len(hits)
        count = Counter(hit.answer for hit in hits)
        highest = max(count.values())
        tied = [answer for answer in scale.answers if count[answer] == highest]
        if len(tied) > 1:
            flagged = [answer for answer in tied if criterion.flagged(criterion.parse(answer))]
            unflagged = [answer for answer in tied if answer not in flagged]
            return ((flagged or tied) if self._strict else (unflagged or tied))[0], 0
        second = max((n for answer, n in count.items() if answer != tied[0]), default=0)
        return tied[0], highest - second


class TeachingModel(_OfflineModel):
    """`offline/teaching`: answers from the truth column, with a chosen error."""

    description = "a simulated coder of known error, made from the truth column; not a language model"
    deterministic = False

    def __init__(self, name: str, options: dict[str, str]) -> None:
        super().__init__(name)
        values = parse_options(name, options, {"accuracy": 0.9, "bias": 0.0, "seed": 1.0})
        if not 0 <= values["accuracy"] <= 1 or not -1 <= values["bias"] <= 1:
            raise SetupError(f"model `{name}`: accuracy must be between 0 and 1, and bias between -1 and 1.")
        self._options = values

    def validate(self, criteria: Criteria | None) -> list[str]:
        unflagged = [c.name for c in (criteria.criteria if criteria else ()) if c.flag is None]
        if not self._options["bias"] or not unflagged:
            return []
        return [f"`{self.name}`: a bias needs a flag, and criterion `{unflagged[0]}` does not declare one."]

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
            raise SkippedCell(
                f"`{self.name}` answers from the truth column, and record `{record.record_id}` has no true answer."
            )
        try:
            truth = criterion.parse(raw)
        except InvalidAnswer as error:
            raise SkippedCell(f"the truth of record `{record.record_id}`: {error}.") from None
        seed = digest("rng1", str(self._options["seed"]), self.name, record.record_hash, criterion.name, str(replicate))
        rng = random.Random(seed)  # noqa: S311  # a simulation, not a secret
        options: list[Any] = list(criterion.scale.answers)
        correct: Any = truth.category
        if criterion.scale.offline_rule == "every cue":
            correct = correct if truth.is_non_answer else json.loads(str(correct))
            options = [[], *([label] for label in options)]
        if not options:
            correct = correct if truth.is_non_answer else truth.value
            options = list(criterion.scale.bounds or (0.0, 1.0))
        wrong = [option for option in options if option != correct] or options
        answer = correct if rng.random() < self._options["accuracy"] else rng.choice(wrong)
        if rng.random() < abs(self._options["bias"]):
            is_flagged = self._options["bias"] > 0
            biased = [option for option in options if criterion.flagged(criterion.parse(option)) is is_flagged]
            answer = rng.choice(biased) if biased else answer
        return {
            "reasons": ["A simulated answer; there is no reasoning behind it."],
            "conclusion": f"Simulated from the truth column ({_format_options(self._options)}).",
            "answer": answer,
            "uncertainty": rng.choice(["low", "medium", "high"]),
        }


def _default_answer(criterion: Criterion) -> Any:
    """The answer for a text without cues: the answer with an empty list, else the only answer without cues."""
    for answer, words in criterion.cues.items():
        if not words:
            return answer
    scale = criterion.scale
    without_cues = [answer for answer in scale.answers if answer not in criterion.cues]
    if scale.offline_rule == "mean of cues":
        return without_cues[0] if without_cues else scale.bounds[0] if scale.bounds else None
    if len(without_cues) == 1:
        return without_cues[0]
    if scale.answers == ("yes", "no"):  # both have cues: a text without any gets the unflagged answer
        return next((a for a in scale.answers if criterion.flagged(criterion.parse(a)) is False), "no")
    return "cannot tell" if "cannot tell" in criterion.non_answers else None


def _format_options(options: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in options.items())


def _cue_reason(text: str, hit: Hit) -> str:
    start, end = max(0, hit.start - 30), min(len(text), hit.end + 30)
    context = " ".join(text[start:end].split())
    before, after = "…" if start else "", "…" if end < len(text) else ""
    return f"The cue `{hit.cue}` speaks for {hit.answer}: “{before}{context}{after}”"
