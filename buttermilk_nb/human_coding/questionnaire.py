"""`Questionnaire`: the questions of one or more criteria documents, as people answer them in one form or sheet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..codebook.criteria import Criteria
from ..codebook.criterion import Criterion
from ..codebook.require_criteria import require_criteria
from ..errors import SetupError, nearest

CriteriaChoice = Criteria | str | Path | Sequence[Criteria | str | Path]
"""One document of criteria or the path of its file, or a list of these."""


class Question(NamedTuple):
    """One criterion of one document."""

    key: str
    """The criterion's name; the document's name is put before it if several documents have a criterion of that name."""
    document: Criteria
    criterion: Criterion

    @property
    def full_key(self) -> str:
        """The names of document and criterion."""
        return f"{self.document.name}: {self.criterion.name}"


class Questionnaire:
    """The questions of one or more documents, in their order.

    Parameters
    ----------
    documents
        The documents, each with a name of its own.

    Raises
    ------
    SetupError
        There is no document, two documents have the same name, or two questions cannot be told apart by name.

    Examples
    --------
    >>> questions = {"fair": {"question": "Is it fair?"}}
    >>> news, satire = (Criteria(name, "Read it twice.", criteria=questions) for name in ("news", "satire"))
    >>> Questionnaire([news]).keys, Questionnaire([news, satire]).keys
    (('fair',), ('news: fair', 'satire: fair'))
    """

    def __init__(self, documents: Sequence[Criteria]) -> None:
        if not documents:
            raise SetupError("the list of criteria is empty; give at least one document of criteria.")
        repeated = [name for name, n in Counter(document.name for document in documents).items() if n > 1]
        if repeated:
            raise SetupError(
                f"two of the criteria are called `{repeated[0]}`, so their answers could not be told apart; give each "
                "document a name of its own, or code them one after the other."
            )
        self.documents = tuple(documents)
        n_documents = Counter(criterion.name for document in documents for criterion in document)
        self._questions: dict[str, Question] = {}
        for document in documents:
            for criterion in document:
                question = Question(criterion.name, document, criterion)
                key = criterion.name if n_documents[criterion.name] == 1 else question.full_key
                if key in self._questions:
                    raise SetupError(
                        f"two questions of criteria `{self.name}` would be called `{key}`; give one another name."
                    )
                self._questions[key] = question._replace(key=key)
        self._by_origin = {(q.document.criteria_hash, q.criterion.name): q for q in self}

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each document."""
        return tuple(document.name for document in self.documents)

    @property
    def name(self) -> str:
        """The names of the documents in one line."""
        return ", ".join(self.names)

    @property
    def hashes(self) -> tuple[str, ...]:
        """The hash of each document."""
        return tuple(document.criteria_hash for document in self.documents)

    @property
    def keys(self) -> tuple[str, ...]:
        """The key of each question."""
        return tuple(self._questions)

    def find_question(self, criteria_hash: str, criterion: str) -> Question | None:
        """The question on a criterion of the document with this hash; None if there is none."""
        return self._by_origin.get((criteria_hash, criterion))

    def __getitem__(self, key: str) -> Question:
        if key not in self._questions:
            raise SetupError(f"criteria `{self.name}` has no criterion `{key}`; {nearest(key, self.keys)}")
        return self._questions[key]

    def __iter__(self) -> Iterator[Question]:
        return iter(self._questions.values())

    def __len__(self) -> int:
        return len(self._questions)


def require_questionnaire(value: Any, user: str, *, reload: bool = False) -> Questionnaire:
    """The questions of criteria, of the path of their file, or of a list of these.

    Parameters
    ----------
    value
        The value to check.
    user
        The function or object that needs criteria, as the subject of the error message.
    reload
        Whether criteria that have a file are read again from it.

    Raises
    ------
    SetupError
        The value is none of these, or a file cannot be read.

    Examples
    --------
    >>> len(require_questionnaire([Criteria("fair", "Is it fair?"), Criteria("kind", "Is it kind?")], "a form"))
    2
    """
    if isinstance(value, Questionnaire):
        return value
    documents = value if isinstance(value, list | tuple) else [value]
    return Questionnaire([require_criteria(document, user, reload=reload) for document in documents])
