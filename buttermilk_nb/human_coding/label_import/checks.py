"""Checks of imported codes against the corpus, the scale, each other, and the project."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ..._internal.text import pluralise
from ...corpus.corpus import Corpus
from ...errors import InvalidAnswer, nearest
from ...project.project import Project
from ...schema import Label
from ..labels import make_label
from ..questionnaire import Questionnaire
from .raw_codes import OUTSIDE, RawCode
from .result import ImportedLabels

_REJECTED = ["where", "coder", "record_id", "criterion", "code", "kind", "problem"]
_CLASHES = ["where", "coder", "record_id", "criterion", "before", "now"]
_STORED_CODES = """
    select coder, record_id, record_hash, criteria_hash, criterion, category, value, status,
           quotes from latest_labels
    where list_contains(?::varchar[], criteria_hash) and round = ? and status <> 'withdrawn'
"""
CodeKey = tuple[str, str, str]
"""Coder, record id, key of the question."""


class ImportedCode(NamedTuple):
    """An earlier code. Its answer is None if the record was skipped, its passages if none were marked."""

    answer: str | None
    quotes: str | None = None

    def differs(self, now: ImportedCode) -> bool:
        """Whether a newer code says something else; one without an answer or passages does not deny them."""
        return self.answer not in (None, now.answer) or (
            None not in (self.quotes, now.quotes) and self.quotes != now.quotes
        )

    def adds_to(self, earlier: ImportedCode) -> bool:
        """Whether it says something about which an earlier code says nothing."""
        return (self.answer is not None and earlier.answer is None) or (
            self.quotes is not None and earlier.quotes is None and self.answer == earlier.answer
        )


class RejectedCode(NamedTuple):
    """The reason why a code cannot be used."""

    kind: str
    problem: str


class CodeChecker:
    """Checks codes one by one, and collects usable labels, rejected codes and clashes.

    Parameters
    ----------
    corpus, questionnaire, in_round
        The coded records, the questions, and the round of coding.
    stored_codes
        The codes that are already in the project.
    """

    def __init__(
        self, corpus: Corpus, questionnaire: Questionnaire, in_round: str, stored_codes: Mapping[CodeKey, ImportedCode]
    ) -> None:
        self.records = {record.record_id: record for record in corpus}
        self.questionnaire = questionnaire
        self.round = in_round
        self.stored_codes = stored_codes
        self.first_labels: dict[CodeKey, Label] = {}
        self.last_labels: dict[CodeKey, Label] = {}
        self.rejected: list[dict[str, Any]] = []
        self.clashes: list[dict[str, Any]] = []
        self.n_empty = 0
        self.other_spellings: Counter[tuple[str, str]] = Counter()
        """How often a text was taken as an answer that is written in another way."""

    def add(self, code: RawCode) -> None:
        """Check one more code."""
        label = self._label(code)
        if isinstance(label, RejectedCode):
            row = {"where": code.where, "coder": code.coder, "record_id": code.record_id, "code": code.raw}
            self.rejected.append({**row, "criterion": code.criterion, **label._asdict()})
            return
        self.n_empty += label is None or label.status == "skipped"
        if label is None:
            return
        key = (label.coder, label.record_id, code.criterion)
        first_label = self.first_labels.get(key)
        earlier = _code_of(first_label) if first_label else self.stored_codes.get(key)
        now = _code_of(label)
        answer = now.answer
        is_set = label.category is not None and label.category.startswith("[")
        if (
            isinstance(code.raw, str)
            and label.category
            and not is_set
            and code.raw.strip().casefold() != label.category.casefold()
        ):
            self.other_spellings[code.raw.strip(), label.category] += 1
        if answer is None and earlier:
            return
        if earlier and earlier.differs(now):
            row = {"where": code.where, "coder": label.coder, "record_id": label.record_id}
            before, after = (
                (earlier.answer, answer) if earlier.answer != answer else map(_with_passages, (earlier, now))
            )
            self.clashes.append({**row, "criterion": code.criterion, "before": before, "now": after})
        if first_label is None or first_label.status == "skipped":
            self.first_labels[key] = label
        self.last_labels[key] = label

    def _spelling_remarks(self) -> list[str]:
        """A remark on codes that are written otherwise than the answers that they are."""
        if not self.other_spellings:
            return []
        n = sum(self.other_spellings.values())
        shown = ", ".join(f"`{raw}` is `{answer}`" for raw, answer in list(self.other_spellings)[:4])
        return [f"{pluralise(n, 'code')} in another spelling than the answers: {shown}."]

    def _label(self, code: RawCode) -> Label | RejectedCode | None:
        """The label of a code; None if there is neither a code nor a note."""
        if code.problem and code.problem_kind:
            return RejectedCode(code.problem_kind, code.problem)
        if code.problem and not code.coder:
            return RejectedCode("row", code.problem)
        if code.raw is None and not code.notes:
            return None
        record = self.records.get(code.record_id)
        if record is None:
            suggestion = nearest(code.record_id, self.records) if code.record_id else "the id is empty."
            return RejectedCode("unknown record", f"the corpus has no record `{code.record_id}`; {suggestion}")
        if not code.coder:
            return RejectedCode("row", "the coder is not named")
        if code.problem == OUTSIDE:
            return RejectedCode(
                OUTSIDE, f"`{code.record_id}` is not in the sample, so the probability of drawing it is not known"
            )
        if code.problem or code.record_hash not in (None, record.record_hash):
            problem = code.problem or f"the text of `{code.record_id}` has changed since the sheet was made"
            return RejectedCode("another version", problem)
        keys = self.questionnaire.keys
        if code.criterion not in keys:
            problem = f"criteria `{self.questionnaire.name}` has no criterion `{code.criterion}`"
            return RejectedCode("row", f"{problem}; {nearest(code.criterion, keys)}")
        if any(not _is_in_text(quote, record.content) for quote in code.quotes or ()):
            return RejectedCode("passage", f"a passage of this code is not in the text of `{code.record_id}`")
        _, document, criterion = self.questionnaire[code.criterion]
        try:
            return make_label(
                criterion,
                document,
                record,
                coder=code.coder,
                answer=code.raw,
                status="skipped" if code.raw is None else "coded",
                source="import",
                notes=code.notes,
                quotes=code.quotes,
                blind=code.blind,
                round=self.round,
                sample_id=code.sample_id,
                inclusion_p=code.inclusion_p,
            )
        except InvalidAnswer as error:
            return RejectedCode("not on the scale", str(error))

    def new_labels(self, *, replace: bool) -> list[Label]:
        """The labels to write. If codes clash, the first one counts, or the last one with `replace`."""
        labels = []
        for key, label in (self.last_labels if replace else self.first_labels).items():
            stored, now = self.stored_codes.get(key), _code_of(label)
            if stored is None or now.adds_to(stored) or (replace and stored.differs(now)):
                labels.append(label)
        return labels

    def summary(
        self, n_new: int, why_not: str, other_documents: Mapping[str, str], remarks: Sequence[str]
    ) -> ImportedLabels:
        """The result of the import."""
        import pandas as pd

        codes = {key: label for key, label in self.first_labels.items() if label.status != "skipped"}
        labels = codes.values()
        return ImportedLabels(
            coders=_sorted_names(label.coder for label in labels),
            criteria=_sorted_names(question for _, _, question in codes),
            n_codes=len(labels),
            n_records=len({label.record_id for label in labels}),
            n_new=n_new,
            n_empty=self.n_empty,
            rejected=pd.DataFrame(self.rejected, columns=_REJECTED),
            clashes=pd.DataFrame(self.clashes, columns=_CLASHES),
            written=not why_not,
            why_not=why_not,
            other_documents=dict(other_documents),
            remarks=(*remarks, *self._spelling_remarks()),
        )


def known_codes(
    project: Project, corpus: Corpus, questionnaire: Questionnaire, in_round: str
) -> dict[CodeKey, ImportedCode]:
    """The codes that are already in the project, on these texts and questions, in these wordings and this round."""
    hashes = {record.record_id: record.record_hash for record in corpus}
    codes: dict[CodeKey, ImportedCode] = {}
    with project.store.reading() as con:
        rows = con.execute(_STORED_CODES, [list(questionnaire.hashes), in_round]).fetchall()
    for coder, record_id, record_hash, criteria_hash, criterion, category, value, status, quotes in rows:
        question = questionnaire.find_question(criteria_hash, criterion)
        if question and hashes.get(record_id) == record_hash:
            answer = None if status == "skipped" else _answer_text(category, value)
            codes[coder, record_id, question.key] = ImportedCode(answer, _without_empty(quotes))
    return codes


def _is_in_text(quote: Mapping[str, Any], content: str) -> bool:
    start, end = quote.get("start"), quote.get("end")
    return isinstance(start, int) and isinstance(end, int) and content[start:end] == quote.get("text")


def _code_of(label: Label) -> ImportedCode:
    answer = None if label.status == "skipped" else _answer_text(label.category, label.value)
    return ImportedCode(answer, _without_empty(label.quotes))


def _without_empty(quotes: str | None) -> str | None:
    return None if quotes in (None, "[]") else quotes


def _with_passages(code: ImportedCode) -> str:
    """The answer with the number of its passages, for a clash of passages."""
    places = [f"{quote['start']}-{quote['end']}" for quote in json.loads(code.quotes or "[]")]
    return f"{code.answer} ({', '.join(places)})"


def _answer_text(category: str | None, value: float | None) -> str:
    return str(value) if category is None else category


def _sorted_names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))
