"""Checking codes one after the other: against the corpus, the scale, each other, and what is in the project."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ...codebook.criteria import Criteria
from ...codebook.criterion import Criterion
from ...codebook.scales import NON_ANSWERS, Continuous, Likert, MultiLabel
from ...codebook.scales.match_answer import exact_match
from ...corpus.corpus import Corpus
from ...errors import InvalidAnswer, nearest
from ...project.project import Project
from ...schema import Label
from ..labels import make_label
from .layouts import OUTSIDE, RawCode
from .result import ImportedLabels

_REJECTED = ["where", "coder", "record_id", "criterion", "code", "kind", "problem"]
_CLASHES = ["where", "coder", "record_id", "criterion", "before", "now"]
_KNOWN = """
    select coder, record_id, record_hash, criterion, category, value, status from latest_labels
    where criteria_hash = ? and round = ? and status <> 'withdrawn'
"""
Key = tuple[str, str, str]
"""Coder, record, criterion."""


class ImportedCode(NamedTuple):
    """What an earlier code says; no answer where the record was skipped."""

    answer: str | None


class RejectedCode(NamedTuple):
    """Why a code cannot be used."""

    kind: str
    problem: str


class CodeChecker:
    """Codes as they are checked.

    Parameters
    ----------
    corpus, criteria, in_round
        What was coded, by what, and in which round.
    known
        What is in the project already.
    """

    def __init__(self, corpus: Corpus, criteria: Criteria, in_round: str, known: Mapping[Key, ImportedCode]) -> None:
        self.records = {record.record_id: record for record in corpus}
        self.criteria = criteria
        self.round = in_round
        self.known = known
        self.first: dict[Key, Label] = {}
        self.last: dict[Key, Label] = {}
        self.rejected: list[dict[str, Any]] = []
        self.clashes: list[dict[str, Any]] = []
        self.n_empty = 0

    def add(self, code: RawCode) -> None:
        """Check one more code."""
        label = self._label(code)
        if isinstance(label, RejectedCode):
            about = {"where": code.where, "coder": code.coder, "record_id": code.record_id, "code": code.raw}
            self.rejected.append({**about, "criterion": code.criterion, **label._asdict()})
            return
        self.n_empty += label is None or label.status == "skipped"
        if label is None:
            return
        key = (label.coder, label.record_id, label.criterion)
        earlier = ImportedCode(_answer(self.first[key])) if key in self.first else self.known.get(key)
        now = _answer(label)
        if now is None and earlier:
            return
        if earlier and earlier.answer not in (None, now):
            about = {"where": code.where, "coder": label.coder, "record_id": label.record_id}
            self.clashes.append({**about, "criterion": label.criterion, "before": earlier.answer, "now": now})
        if key not in self.first or self.first[key].status == "skipped":
            self.first[key] = label
        self.last[key] = label

    def _label(self, code: RawCode) -> Label | RejectedCode | None:
        """The label that a code is; None where there is neither a code nor a note."""
        if code.problem and not code.coder:
            return RejectedCode("row", code.problem)
        if code.raw is None and not code.notes:
            return None
        record = self.records.get(code.record_id)
        if record is None:
            close = nearest(code.record_id, self.records) if code.record_id else "the cell is empty."
            return RejectedCode("unknown record", f"the corpus has no record `{code.record_id}`; {close}")
        if not code.coder:
            return RejectedCode("row", "nobody is named as the coder")
        if code.problem == OUTSIDE:
            return RejectedCode(
                OUTSIDE, f"`{code.record_id}` is not in the sample, so nothing is known of how it was drawn"
            )
        if code.problem or code.record_hash not in (None, record.record_hash):
            changed = f"the text of `{code.record_id}` has changed since the sheet was made"
            return RejectedCode("another version", code.problem or changed)
        names = [criterion.name for criterion in self.criteria]
        if code.criterion not in names:
            missing = f"criteria `{self.criteria.name}` has no criterion `{code.criterion}`"
            return RejectedCode("row", f"{missing}; {nearest(code.criterion, names)}")
        criterion = self.criteria[code.criterion]
        try:
            return make_label(
                criterion,
                self.criteria,
                record,
                coder=code.coder,
                answer=_strict(criterion, code.raw),
                status="skipped" if code.raw is None else "coded",
                source="import",
                notes=code.notes,
                blind=code.blind,
                round=self.round,
                sample_id=code.sample_id,
                inclusion_p=code.inclusion_p,
            )
        except InvalidAnswer as error:
            return RejectedCode("not on the scale", str(error))

    def new(self, *, replacing: bool) -> list[Label]:
        """The labels that are to be written: the first of each where something clashes, or the last."""
        found = []
        for key, label in (self.last if replacing else self.first).items():
            before, now = self.known.get(key), _answer(label)
            if before is None or (now is not None and before.answer is None) or (replacing and before.answer != now):
                found.append(label)
        return found

    def summary(self, n_new: int, why_not: str) -> ImportedLabels:
        """The result."""
        import pandas as pd

        coded = [label for label in self.first.values() if label.status != "skipped"]
        return ImportedLabels(
            coders=_each(label.coder for label in coded),
            criteria=_each(label.criterion for label in coded),
            n_codes=len(coded),
            n_records=len({label.record_id for label in coded}),
            n_new=n_new,
            n_empty=self.n_empty,
            rejected=pd.DataFrame(self.rejected, columns=_REJECTED),
            clashes=pd.DataFrame(self.clashes, columns=_CLASHES),
            written=not why_not,
            why_not=why_not,
        )


def known_codes(project: Project, corpus: Corpus, criteria: Criteria, in_round: str) -> dict[Key, ImportedCode]:
    """What is in the project already, of these texts in this wording and round."""
    hashes = {record.record_id: record.record_hash for record in corpus}
    found: dict[Key, ImportedCode] = {}
    with project.store.reading() as con:
        rows = con.execute(_KNOWN, [criteria.criteria_hash, in_round]).fetchall()
    for coder, record_id, record_hash, criterion, category, value, status in rows:
        if hashes.get(record_id) == record_hash:
            found[coder, record_id, criterion] = ImportedCode(None if status == "skipped" else _shown(category, value))
    return found


def _strict(criterion: Criterion, raw: Any) -> Any:
    """A person's code is the answer itself: `no idea` is not `no`, however a model's answer is read."""
    scale = criterion.scale
    if not isinstance(raw, str) or isinstance(scale, Continuous) or exact_match(raw, NON_ANSWERS):
        return raw
    if isinstance(scale, Likert) and re.fullmatch(r"-?\d+\.0+", raw):
        return int(float(raw))  # how a table with gaps writes its whole numbers
    for part in _parts(raw, scale) if isinstance(scale, MultiLabel) else [raw]:
        if exact_match(part, scale.answers) is None:
            offered = (*scale.answers, *NON_ANSWERS)
            raise InvalidAnswer(f"{part!r:.60} is none of the answers; {nearest(part, offered)}")
    return raw


def _parts(raw: str, scale: MultiLabel) -> list[str]:
    """The labels in a text: a JSON list, or parted by `|`, `,` or `;`; `none` names none."""
    if exact_match(raw, (*scale.answers, "none")):
        return [raw] if exact_match(raw, scale.answers) else []
    try:
        found = json.loads(raw) if raw.startswith("[") else re.split(r"[|,;]", raw)
    except ValueError:
        return [raw]
    return [str(part) for part in found]


def _answer(label: Label) -> str | None:
    return None if label.status == "skipped" else _shown(label.category, label.value)


def _shown(category: str | None, value: float | None) -> str:
    return str(value) if category is None else category


def _each(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))
