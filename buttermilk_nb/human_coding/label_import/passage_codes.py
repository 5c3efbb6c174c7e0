"""The codes of texts that were coded in another program, as codes of the records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from ..._internal.ids import canonical
from ..._internal.markdown import code_list
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
        self._declared: set[tuple[str, ...]] = set()
        """The names of texts whose record the user has named."""
        self._renamed: dict[str, str] = {}
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
            problem = coded.problem
            if record_id in self._texts and coded.names not in self._declared:
                other = self._by_text(coded) if coded.text and not self._is_same_text(record_id, coded) else None
                if other:
                    self._renamed.setdefault(record_id, other)
                    record_id = other
                elif self._is_another_text(record_id, coded):
                    problem = problem or (
                        f"the file's text `{record_id}` is not that of the record `{record_id}`; "
                        "records={...} says which record it is"
                    )
            if problem:
                yield RawCode(coded.where, "", record_id, "", None, problem=problem)
                continue
            if not coder:
                raise SetupError(f'`{coded.where}` does not name the coder; write coder="kf", or any other short name.')
            yield from self._codes_of_text(coded, coder, record_id)
        coders = {coded.coder for coded in coded_texts if coded.coder}
        if self._options.coder and coders and self._options.coder not in coders:
            self.remarks.append(f'coder="{self._options.coder}" was not used where the file names its coders.')
        if coded_texts and self._names.unused:
            self.remarks.append(f"codes: no code of the file is called {code_list(self._names.unused[:5])}.")
        if self._renamed:
            name, record_id = next(iter(self._renamed.items()))
            n = pluralise(len(self._renamed), "text")
            self.remarks.append(
                f"{n} known by the words, because the program's own name or number is that of another record: its "
                f"`{name}` is the record `{record_id}`."
            )
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
            given = coded.facts.get(self._options.record_id)
            own_names = (str(given),) if isinstance(given, str | int) else coded.names
            names = [*own_names, *(PurePosixPath(name).stem for name in own_names)]
            match = next((declared[name] for name in names if name in declared), None)
            if match:
                self._declared.add(coded.names)
            match = match or next((name for name in names if name in self._texts), None)
            if match:
                found[coded.names] = match
        others = {coded.names[0]: coded.names for coded in coded_texts if coded.names and coded.names not in found}
        if others and (rule := match_ids(others, self._texts)):
            found |= {names: rule.known_ids[name] for name, names in others.items()}
            self.remarks.append(rule.remark)
        return found

    def _is_same_text(self, record_id: str, coded: CodedText) -> bool:
        """Whether two texts have the same letters, or one is a part of the other; True if one is not known."""
        ours, theirs = ("".join(text.split()) for text in (self._texts[record_id].content, coded.text or ""))
        return ours in theirs or theirs in ours

    def _is_another_text(self, record_id: str, coded: CodedText) -> bool:
        """Whether two texts have fewer than half of the words of the shorter one in common."""
        if coded.text is None or self._is_same_text(record_id, coded):
            return False
        ours, theirs = (set(text.casefold().split()) for text in (self._texts[record_id].content, coded.text))
        return 2 * len(ours & theirs) < min(len(ours), len(theirs))

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
            if isinstance(meaning, UnknownCode):
                if code.is_optional:
                    continue
                name = meaning.name
                yield RawCode(
                    coded.where, coder, record_id, name, name, problem=meaning.problem, problem_kind=UNKNOWN_CODE
                )
                continue
            answers = by_question.setdefault(
                meaning.question.key, _QuestionCodes(meaning.question, [], [], [], coded.where)
            )
            given = _listed(self._options.values(meaning.answer))
            answers.answers.extend(given)
            if code.notes and code.notes not in answers.notes:
                answers.notes.append(code.notes)
            if code.is_passage and record_id in self._texts:
                own = given[0] if len(given) == 1 and meaning.question.criterion.scale.level == "set" else None
                yield from self._add_passage(answers, code, coded, coder, record_id, own)
        for answers in by_question.values():
            yield _combined(answers, coder, record_id)
        yield from self._unmarked(coded, coder, record_id, by_question)

    def _add_passage(
        self, answers: _QuestionCodes, code: Code, coded: CodedText, coder: str, record_id: str, own: Any
    ) -> Iterator[RawCode]:
        """Add the passage of a code, with its own answer of several; a rejected code if it is not in the text."""
        passage = self._texts[record_id].place(code, coded)
        if isinstance(passage, str):
            problem = f"the passage was left out, the answer counts: {passage}"
            name = SEPARATOR.join(code.path)
            yield RawCode(
                coded.where, coder, record_id, answers.question.key, name, problem=problem, problem_kind=PASSAGE
            )
            return
        if own is not None:
            known = {answer.casefold(): answer for answer in answers.question.criterion.scale.answers}
            passage["answer"] = known.get(str(own).casefold(), str(own))
        if passage not in answers.quotes:
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
    quotes = tuple(
        sorted(_plain_quotes(answers.quotes), key=lambda quote: (quote["start"], quote["end"], quote.get("answer", "")))
    )
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


def _plain_quotes(quotes: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The passages without their own answers, if each of them has all answers; else as they are."""
    by_place: dict[tuple[int, int], set[Any]] = {}
    for quote in quotes:
        by_place.setdefault((quote["start"], quote["end"]), set()).add(quote.get("answer"))
    if len({frozenset(own) for own in by_place.values()}) > 1:
        return list(quotes)
    places = {(quote["start"], quote["end"]): quote["text"] for quote in quotes}
    return [{"start": start, "end": end, "text": text} for (start, end), text in places.items()]


def _listed(answer: Any) -> list[Any]:
    return list(answer) if isinstance(answer, list | tuple) else [answer]
