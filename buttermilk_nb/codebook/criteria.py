"""`Criteria`: a document of questions for each record, with their scales and instructions.

The document is prose and one or more questions (`Criterion`), each with a scale. It has a hash, because a document
with one changed word is a different instrument. The hash covers what an answer means: text, questions, scales, flags
and the overall rule. It leaves out the source of the document. It also leaves out the cues: only the offline models
read them, and these use the separate hash of the cues (`cues_hash`). So a change to a cue word does not change the
design of a language model's answers.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError, model_validator

from .._internal import yaml
from .._internal.arguments import check_argument_names
from .._internal.frozen_model import FrozenModel
from .._internal.html import fragment, table, title
from .._internal.ids import canonical, digest
from .._internal.validation_errors import validation_error
from ..errors import SetupError, nearest
from ..schema import TextRow
from .criterion import Criterion
from .refi_codebook import read_criteria, write_codebook
from .scales import Scale
from .short_form import criterion_to_plain, expand_short_form

_CODEBOOKS = (".qdc", ".qdpx")
Cues = Mapping[str, Iterable[str]] | Iterable[str]


class Criteria(FrozenModel):
    """A named, versioned document of criteria, with one rule for the whole.

    Parameters
    ----------
    name
        Its name; it becomes the value of the column `criteria_set`.
    text
        The prose that judges read in full: a policy, a style guide, a codebook's introduction.
    scale, flag, cues, question, definition, include, exclude, examples, non_answers
        The details of the question, if the document has only one. Use them instead of `criteria`. By default,
        `question` is the text itself.
    criteria
        Several questions: a list of `Criterion`, or a mapping from name to its fields. `scale` and
        `flag` are then the defaults for criteria without their own.
    overall
        How the flag of the whole document follows from its criteria: `any`, `all`, or the name of the criterion that
        decides.
    version, source, author, retrieved
        The origin of the document.

    Raises
    ------
    SetupError
        A field is unknown, or a scale, flag, example or cue does not fit.

    Examples
    --------
    >>> respect = Criteria("respect", "Does the article treat people with respect?", flag="no")
    >>> [criterion.name for criterion in respect]
    ['respect']
    >>> respect["respect"].flag
    'no'
    """

    name: str
    text: str
    criteria: tuple[Criterion, ...]
    overall: str = "any"
    version: str = ""
    source: str = ""
    author: str = ""
    retrieved: str = ""
    path: Path | None = None

    @check_argument_names
    def __init__(
        self,
        name: str,
        text: str = "",
        *,
        scale: str | Scale | dict[str, Any] | None = None,
        flag: str | Sequence[str] | None = None,
        cues: Cues | None = None,
        criteria: Sequence[Criterion | Mapping[str, Any]] | Mapping[str, Mapping[str, Any]] | None = None,
        overall: str = "any",
        **fields: Any,
    ) -> None:
        short_fields = {"scale": scale, "flag": flag, "cues": cues, "criteria": criteria, "overall": overall}
        text = text.strip() if isinstance(text, str) else text
        try:
            super().__init__(**expand_short_form({"name": name, "text": text, **short_fields, **fields}))
        except ValidationError as error:
            names = (*(f for f in Criteria.model_fields if f != "path"), *Criterion.model_fields)
            raise validation_error(f"criteria `{name}`", error, names) from None

    @model_validator(mode="after")
    def _check_consistency(self) -> Self:
        names = [criterion.name for criterion in self.criteria]
        if len(set(names)) != len(names):
            raise ValueError("two criteria have the same name")
        if self.overall not in ("any", "all", *names):
            raise ValueError(f"overall `{self.overall}`: {nearest(self.overall, ['any', 'all', *names])}")
        return self

    @classmethod
    def from_file(cls, path: str | Path) -> Criteria:
        """Read criteria from a Markdown file with YAML front matter; each run reads the file again.

        The codes of a program for qualitative analysis (`.qdc` or `.qdpx` of REFI-QDA) become questions: a code alone
        is a yes/no question, a code with codes under it asks which of these the text has.

        Raises
        ------
        SetupError
            The file does not exist, or one of its fields is unknown or invalid.
        """
        path = Path(path)
        if path.suffix.lower() in _CODEBOOKS:
            text = f"The codes of {path.name}."
            return cls(path.stem, text, criteria=read_criteria(path), source=path.name, path=path)
        return cls.from_markdown(yaml.read_text(path), name=path.stem, path=path)

    @classmethod
    def from_markdown(cls, text: str, *, name: str = "criteria", path: Path | None = None) -> Criteria:
        """Read criteria from the text of a Markdown file with YAML front matter.

        Examples
        --------
        >>> criteria = Criteria.from_markdown(
        ...     '''---
        ... name: tone
        ... scale: 1-5
        ... flag: ">= 4"
        ... ---
        ... How heated is the text?'''
        ... )
        >>> criteria["tone"].scale.shorthand, criteria["tone"].flag
        ('1-5', '>= 4')
        """
        source = f"`{path.name}`" if path else f"criteria `{name}`"
        fields: dict[str, Any] = {}
        body = text
        if has_front_matter(text):
            head, mark, body = text.lstrip()[3:].partition("\n---")
            if not mark:
                raise SetupError(f"{source}: the front matter has no closing line `---`.")
            front_matter = yaml.loads(head, source) or {}
            if not isinstance(front_matter, dict):
                raise SetupError(f"{source}: the front matter is not a list of `field: value` lines.")
            fields = {str(key): value for key, value in front_matter.items()}
        chosen_name = str(fields.pop("name", name))
        if path:
            fields["path"] = path
        return cls(chosen_name, body.strip(), **fields)

    def reload(self) -> Criteria:
        """The document as its file is now; the document itself if it has no file."""
        return type(self).from_file(self.path) if self.path and self.path.exists() else self

    @cached_property
    def criteria_hash(self) -> str:
        """The hash of the parts that an answer's meaning depends on; the module's docstring lists them."""
        fields = self.model_dump(mode="json", exclude={"path", "source", "author", "retrieved", "criteria"})
        fields["criteria"] = [
            {**c.model_dump(mode="json", exclude={"cues", "scale"}), "scale": c.scale.model_dump(mode="json")}
            for c in self.criteria
        ]
        return digest("c1", canonical(fields))

    @cached_property
    def cues_hash(self) -> str:
        """The hash of the cues, which only the offline models read."""
        return digest("q1", canonical({c.name: {k: list(v) for k, v in c.cues.items()} for c in self.criteria}))

    @cached_property
    def rules_hash(self) -> str:
        """The hash of what the offline models read: the cues in their order, and the flags, which decide ties."""
        rules = [[c.name, c.flag, [[k, list(v)] for k, v in c.cues.items()]] for c in self.criteria]
        return digest("kq1", canonical(rules))

    def select(self, criterion: str) -> Criteria:
        """The same document with one of its questions."""
        origin = {key: getattr(self, key) for key in ("version", "source", "author", "retrieved")}
        return Criteria(self.name, self.text, criteria=[self[criterion]], overall=criterion, **origin)

    def overall_flag(self, flags: Mapping[str, bool | None]) -> bool | None:
        """The flag of the whole document, from the flags of its criteria, with SQL's logic of unknown values.

        Examples
        --------
        >>> both = Criteria("b", "x", flag="no", criteria={"p": {"question": "?"}, "q": {"question": "?"}})
        >>> both.overall_flag({"p": None, "q": True}), both.overall_flag({"p": None, "q": False})
        (True, None)
        """
        if self.overall not in ("any", "all"):
            return flags.get(self.overall)
        criterion_flags = [flags.get(c.name) for c in self.criteria if c.flag is not None]
        decisive = self.overall == "any"
        if decisive in criterion_flags:
            return decisive
        return None if None in criterion_flags or not criterion_flags else not decisive

    def to_rows(self) -> list[TextRow]:
        """The rows that store the document: one under its hash, and one under the hash of its cues if it has cues."""
        hashes = [self.criteria_hash, *([self.cues_hash] if any(c.cues for c in self.criteria) else [])]
        return [
            TextRow(text_hash=name, kind="criteria", name=self.name, version=self.version, body=self._markdown)
            for name in hashes
        ]

    def to_plain(self) -> dict[str, Any]:
        """The document as plain data: the front matter of its file, and `text`."""
        return {**self._front_matter(), "text": self.text}

    def to_markdown(self) -> str:
        """The document as the text of a file that `from_file` can read."""
        return self._markdown

    def to_file(self, path: str | Path) -> Path:
        """Write the document as a Markdown file (`.md`), or its codes as a codebook of REFI-QDA (`.qdc`).

        In a codebook, a yes/no question is one code, and any other one a code with its answers under it.

        Raises
        ------
        SetupError
            The file has another ending, or exists.
        """
        path = Path(path)
        if path.suffix.lower() not in (".md", ".qdc"):
            raise SetupError(f"`{path.name}`: criteria are written as .md, or their codes as .qdc.")
        data = write_codebook(self.criteria) if path.suffix.lower() == ".qdc" else self._markdown.encode()
        try:
            with path.open("xb") as handle:
                handle.write(data)
        except FileExistsError:
            raise SetupError(f"`{path.name}` exists already; choose another name, or remove it first.") from None
        except OSError as error:
            raise SetupError(f"`{path}` cannot be written: {error.strerror}.") from error
        return path

    @cached_property
    def _markdown(self) -> str:
        return f"---\n{yaml.dumps(self._front_matter())}---\n{self.text}\n"

    def _front_matter(self) -> dict[str, Any]:
        fields: dict[str, Any] = {"name": self.name}
        fields |= {
            key: getattr(self, key) for key in ("version", "source", "author", "retrieved") if getattr(self, key)
        }
        fields["overall"] = self.overall
        fields["criteria"] = {c.name: criterion_to_plain(c) for c in self.criteria}
        return fields

    def diff(self, other: Criteria) -> str:
        """The changes from this version to another, as unified diff lines; empty if nothing changed."""
        old, new = self.to_markdown().splitlines(), other.to_markdown().splitlines()
        lines = difflib.unified_diff(
            old, new, f"{self.name} {self.version}".strip(), f"{other.name} {other.version}".strip(), lineterm="", n=1
        )
        return "\n".join(lines)

    def __getitem__(self, name: str) -> Criterion:
        for criterion in self.criteria:
            if criterion.name == name:
                return criterion
        names = [c.name for c in self.criteria]
        raise SetupError(f"criteria `{self.name}` has no criterion `{name}`; {nearest(name, names)}")

    def __iter__(self) -> Iterator[Criterion]:  # type: ignore[override]  # a document is a sequence of its criteria
        return iter(self.criteria)

    def __len__(self) -> int:
        return len(self.criteria)

    def __repr__(self) -> str:
        criteria = ", ".join(
            f"{c.name}: {c.scale.shorthand}" + (f", flag {c.flag}" if c.flag else "") for c in self.criteria
        )
        return f"Criteria({self.name!r}{f', version {self.version}' if self.version else ''}: {criteria})"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        rows = [
            (c.name, c.question, c.scale.shorthand, c.flag or "none", ", ".join(c.non_answers), _describe_cues(c))
            for c in self.criteria
        ]
        note = " · ".join(part for part in (f"version {self.version}" if self.version else "", self.source) if part)
        columns = ["criterion", "question", "scale", "flag", "non-answers", "cues"]
        return fragment(title(f"Criteria {self.name}", note), table(columns, rows, f"overall: {self.overall}"))


def has_front_matter(text: str) -> bool:
    """Whether a text begins as a file of criteria does."""
    return text.lstrip().partition("\n")[0].rstrip() == "---"


def _describe_cues(criterion: Criterion) -> str:
    return ", ".join(f"{len(cues)} for {answer}" for answer, cues in criterion.cues.items()) or "none"
