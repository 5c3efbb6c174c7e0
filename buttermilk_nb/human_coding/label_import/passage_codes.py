"""The codes of texts that were coded in another program, as codes of the records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from ..._internal.ids import canonical
from ..._internal.text import pluralise
from ...corpus.corpus import Corpus
from ...corpus.match_ids import match_ids
from ...errors import SetupError, nearest
from ..coded_texts.coded_text import NO_LABEL, Code, CodedText
from ..questionnaire import Question
from .code_names import SEPARATOR, CodeNames, UnknownCode, is_answer
from .place_passages import RecordText
from .raw_codes import ImportOptions, RawCode

UNKNOWN_CODE, SEVERAL_ANSWERS, PASSAGE = "unknown code", "several answers", "passage"


class _QuestionCodes(NamedTuple):
    """The codes of one person on one question and text."""

    question: Question
    answers: list[Any]
    quotes: list[dict[str, Any]]
    notes: list[str]
    where: str


class PassageReader:
    """Makes codes of records out of coded texts.

    Parameters
    ----------
    corpus
        The records.
    options
        The options of the import: the questions, the coder, what codes mean, and what no mark means.
    """

    def __init__(self, corpus: Corpus, options: ImportOptions) -> None:
        self._texts = {record.record_id: RecordText(record.content) for record in corpus}
        self._options = options
        self._names = CodeNames(options.questionnaire, options.codes)
        self._n_unmarked = 0
        self.remarks: list[str] = []

    def codes(self, coded_texts: Sequence[CodedText]) -> Iterator[RawCode]:
        """Every code, with its passages.

        Raises
        ------
        SetupError
            The coder is not named, or `records` names a record that does not exist.
        """
        record_ids = self._record_ids(coded_texts)
        for coded in coded_texts:
            coder = coded.coder or self._options.coder or ""
            record_id = record_ids.get(coded.names) or self._by_text(coded) or (coded.names[0] if coded.names else "")
            if coded.problem:
                yield RawCode(coded.where, "", record_id, "", None, problem=coded.problem)
                continue
            if not coder:
                raise SetupError(f'`{coded.where}` does not name the coder; write coder="kf", or any other short name.')
            yield from self._codes_of_text(coded, coder, record_id)
        if self._n_unmarked and self._options.unmarked is None:
            self.remarks.append(
                f"{pluralise(self._n_unmarked, 'place')} without a mark: a coder read a text and marked nothing for a "
                'question, which counts as no code. If it means no, write unmarked="no".'
            )

    def _record_ids(self, coded_texts: Sequence[CodedText]) -> dict[tuple[str, ...], str]:
        """The record of each text by its names: as it is said, by one of its names, or by a rule for all."""
        declared = {str(name): str(record) for name, record in (self._options.records or {}).items()}
        if unknown := [record for record in declared.values() if record not in self._texts]:
            raise SetupError(f"records: the corpus has no record `{unknown[0]}`; {nearest(unknown[0], self._texts)}")
        found: dict[tuple[str, ...], str] = {}
        for coded in coded_texts:
            names = [*coded.names, *(PurePosixPath(name).stem for name in coded.names)]
            match = next((declared[name] for name in names if name in declared), None)
            match = match or next((name for name in names if name in self._texts), None)
            if match:
                found[coded.names] = match
        others = {coded.names[0]: coded.names for coded in coded_texts if coded.names and coded.names not in found}
        if others and (rule := match_ids(others, self._texts)):
            found |= {names: rule.known_ids[name] for name, names in others.items()}
            self.remarks.append(rule.remark)
        return found

    def _by_text(self, coded: CodedText) -> str | None:
        """The only record that has this text."""
        if coded.text is None:
            return next(iter(self._texts)) if len(self._texts) == 1 else None
        records = self._ids_by_letters.get("".join(coded.text.split()), [])
        return records[0] if len(records) == 1 else None

    @cached_property
    def _ids_by_letters(self) -> dict[str, list[str]]:
        """The records by their texts without white space."""
        ids: dict[str, list[str]] = {}
        for record_id, text in self._texts.items():
            ids.setdefault("".join(text.content.split()), []).append(record_id)
        return ids

    def _codes_of_text(self, coded: CodedText, coder: str, record_id: str) -> Iterator[RawCode]:
        by_question: dict[str, _QuestionCodes] = {}
        meanings = [(code, meaning) for code in coded.codes for meaning in self._names.find_all(code)]
        for code, meaning in meanings:
            if meaning is None:
                continue
            name = SEPARATOR.join((*code.path, *(value for _, value in code.features)))
            if isinstance(meaning, UnknownCode):
                yield RawCode(
                    coded.where, coder, record_id, name, name, problem=meaning.problem, problem_kind=UNKNOWN_CODE
                )
                continue
            answers = by_question.setdefault(
                meaning.question.key, _QuestionCodes(meaning.question, [], [], [], coded.where)
            )
            answers.answers.extend(_listed(self._options.values(meaning.answer)))
            if code.notes and code.notes not in answers.notes:
                answers.notes.append(code.notes)
            if code.is_passage and record_id in self._texts:
                yield from self._add_passage(answers, code, coded, coder, record_id)
        for answers in by_question.values():
            yield _combined(answers, coder, record_id)
        yield from self._unmarked(coded, coder, record_id, by_question)

    def _add_passage(
        self, answers: _QuestionCodes, code: Code, coded: CodedText, coder: str, record_id: str
    ) -> Iterator[RawCode]:
        """Add the passage of a code; a rejected code if it is not in the record's text."""
        passage = self._texts[record_id].place(code, coded)
        if isinstance(passage, str):
            problem = f"the passage was left out, the answer counts: {passage}"
            name = SEPARATOR.join(code.path)
            yield RawCode(
                coded.where, coder, record_id, answers.question.key, name, problem=problem, problem_kind=PASSAGE
            )
        elif passage not in answers.quotes:
            answers.quotes.append(passage)

    def _unmarked(
        self, coded: CodedText, coder: str, record_id: str, by_question: Mapping[str, _QuestionCodes]
    ) -> Iterator[RawCode]:
        """The answers where a coder marked nothing."""
        unmarked = self._options.unmarked
        for question in self._options.questionnaire:
            if question.key in by_question:
                continue
            answer = unmarked.get(question.key) if isinstance(unmarked, Mapping) else unmarked
            if answer is None or (not isinstance(unmarked, Mapping) and not is_answer(question, answer)):
                self._n_unmarked += 1
                yield RawCode(coded.where, coder, record_id, question.key, None)
            else:
                yield RawCode(coded.where, coder, record_id, question.key, answer)


def _combined(answers: _QuestionCodes, coder: str, record_id: str) -> RawCode:
    """One code out of all marks of a person for a question; rejected if they say different things."""
    criterion = answers.question.criterion
    quotes = tuple(sorted(answers.quotes, key=lambda quote: (quote["start"], quote["end"])))
    code = RawCode(
        answers.where,
        coder,
        record_id,
        answers.question.key,
        None,
        "\n".join(answers.notes) or None,
        quotes=quotes or None,
    )
    distinct = list({canonical(str(answer).casefold()): answer for answer in answers.answers}.values())
    if criterion.scale.level == "set" and (len(distinct) > 1 or distinct == [NO_LABEL]):
        return code._replace(raw=[answer for answer in distinct if answer != NO_LABEL])
    if len(distinct) > 1:
        said = ", ".join(f"`{answer}`" for answer in distinct)
        problem = f"{coder} gave several answers to `{answers.question.key}` on one text: {said}"
        return code._replace(raw=said, problem=problem, problem_kind=SEVERAL_ANSWERS)
    return code._replace(raw=distinct[0] if distinct else None)


def _listed(answer: Any) -> list[Any]:
    return list(answer) if isinstance(answer, list | tuple) else [answer]
