"""The codes in a project as coded texts: for each record and coder, the answers with their passages."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ..._internal.markdown import code_list
from ...corpus.corpus import Corpus
from ...errors import SetupError
from ...project.project import Project
from ..coded_texts.coded_text import NO_LABEL, Code, CodedText
from ..labels import labels
from ..questionnaire import Questionnaire

if TYPE_CHECKING:
    import pandas as pd

_ADJUDICATION = "adjudication"


class StoredCodes(NamedTuple):
    """The codes of people on a corpus.

    Parameters
    ----------
    frame
        One row per code, with the columns of `labels` and the key of its question in `question`.
    n_other_versions
        How many codes are about another version of a text, or about a record that the corpus has not.
    """

    frame: pd.DataFrame
    n_other_versions: int

    def select(self, texts: Collection[str], coders: Collection[str] | None) -> StoredCodes:
        """The codes on some texts by some coders, None for all of them."""
        chosen = self.frame.record_id.isin(list(texts))
        if coders is not None:
            chosen &= self.frame.coder.isin(list(coders))
        return self._replace(frame=self.frame[chosen].reset_index(drop=True))

    @property
    def coders(self) -> list[str]:
        """The names of the coders."""
        return sorted(self.frame.coder.unique())


def stored_codes(project: Project, corpus: Corpus, questionnaire: Questionnaire, in_round: str | None) -> StoredCodes:
    """The codes on the records of a corpus in their present version, under these criteria.

    Raises
    ------
    SetupError
        A coder has codes on one question and text in several rounds, and `in_round` does not say which counts.
    """
    import pandas as pd

    frames = [labels(project, criteria=document) for document in questionnaire.documents]
    frame = pd.concat(frames, ignore_index=True)
    frame = frame[~frame.status.isin(["skipped"]) & (frame["round"] != _ADJUDICATION)]
    frame = frame[frame["round"] == in_round] if in_round is not None else frame
    keys = [questionnaire.find_question(*each) for each in zip(frame.criteria_hash, frame.criterion, strict=True)]
    frame = frame.assign(question=[question.key if question else "" for question in keys])
    hashes = {record.record_id: record.record_hash for record in corpus}
    here = frame[frame.record_id.map(hashes) == frame.record_hash]
    if here.duplicated(["coder", "record_id", "question"]).any():
        rounds = sorted(here["round"].unique())
        raise SetupError(f'there are codes of several rounds ({code_list(rounds)}); choose one, round="{rounds[-1]}".')
    order = {record.record_id: n for n, record in enumerate(corpus)}
    ranks = {key: n for n, key in enumerate(questionnaire.keys)}
    here = here.assign(_record=here.record_id.map(order), _question=here.question.map(ranks))
    here = here.sort_values(["_record", "coder", "_question"]).drop(columns=["_record", "_question"])
    return StoredCodes(here.reset_index(drop=True), len(frame) - len(here))


def coded_texts(codes: StoredCodes, texts: Mapping[str, str]) -> list[CodedText]:
    """The codes by record and coder. An answer with several labels is a code for each."""
    items: dict[tuple[str, str], list[Code]] = {}
    for row in codes.frame.to_dict("records"):
        items.setdefault((row["record_id"], row["coder"]), []).extend(_codes_of_row(row))
    return [
        CodedText(record_id, (record_id,), coder, tuple(found), texts[record_id])
        for (record_id, coder), found in items.items()
    ]


def answer_of(row: Mapping[Any, Any]) -> Any:
    """The answer of a code: a text, a number, or a list of labels."""
    category = row["category"]
    if not isinstance(category, str):
        value = row["value"]
        return int(value) if float(value).is_integer() else value
    return json.loads(category) if category.startswith("[") else category


def passages_of(row: Mapping[Any, Any]) -> list[dict[str, Any]]:
    """The passages of a code."""
    return json.loads(row["quotes"]) if isinstance(row["quotes"], str) else []


def _codes_of_row(row: Mapping[Any, Any]) -> list[Code]:
    answer, passages = answer_of(row), passages_of(row)
    answers = (answer or [NO_LABEL]) if isinstance(answer, list) else [answer]
    notes = row["notes"] if isinstance(row["notes"], str) else None
    codes = []
    for each in answers:
        own = [p for p in passages if p.get("answer", each) == each]
        places: list[dict[str, Any]] = [{"start": p["start"], "end": p["end"]} for p in own] or [{}]
        codes += [Code((row["question"],), each, **place) for place in places]
    return [codes[0]._replace(notes=notes), *codes[1:]] if codes else []
