"""Criteria from the code tree of a program for qualitative analysis, and back: `.qdc` and `.qdpx` of REFI-QDA.

A code without codes under it is a yes/no question: does the text have it? A code with codes under it is a question of
which of these apply. Deeper codes are a question for each code that has codes under it. The description of a code
becomes the definition of the criterion.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..corpus.loaders.documents.document import import_parser
from ..corpus.loaders.refi_project import CODEBOOK_NAMESPACE, RefiCode, read_codes
from ..corpus.loaders.source import existing_path
from ..errors import SetupError
from .criterion import Criterion
from .scales import MultiLabel, YesNo

_SEPARATOR = " > "
_SPACE = uuid.UUID("6f1d4a52-9d0c-5a58-8a6d-2f6f6a1b7c11")
"""The space of the ids in written files: the same codes give the same file."""


def make_guid(*parts: str) -> str:
    """The id of something in a file, by its kind and names: the same names give the same id."""
    return str(uuid.uuid5(_SPACE, "\0".join(parts)))


def criteria_of_codes(codes: Sequence[RefiCode]) -> list[Criterion]:
    """A question for each code that has codes under it, and for each code that is alone.

    Examples
    --------
    >>> codes = [RefiCode(("respect",)), RefiCode(("emotion",), is_leaf=False), RefiCode(("emotion", "fear"))]
    >>> [(c.name, c.scale.shorthand) for c in criteria_of_codes([*codes, RefiCode(("emotion", "anger"))])]
    [('respect', 'yes/no'), ('emotion', 'labels: fear | anger')]
    """
    children: dict[tuple[str, ...], list[RefiCode]] = {}
    for code in codes:
        children.setdefault(code.path[:-1], []).append(code)
    criteria = []
    for code in codes:
        title, inner = _SEPARATOR.join(code.path), children.get(code.path, [])
        if inner:
            described = [code.description, *(f"{c.path[-1]}: {c.description}" for c in inner if c.description)]
            scale = MultiLabel(labels=tuple(c.path[-1] for c in inner))
            question = f"Which codes of {title} does the text have?"
            definition = "\n".join(filter(None, described))
            criteria.append(Criterion(name=title, question=question, scale=scale, definition=definition))
        elif len(code.path) == 1:
            question = f"Does the text have the code {title}?"
            criteria.append(Criterion(name=title, question=question, scale=YesNo(), definition=code.description))
    return criteria


def read_criteria(path: Path) -> list[Criterion]:
    """The questions in a codebook or project.

    Raises
    ------
    SetupError
        The file does not exist, is damaged, has no code, or a code cannot be a question or an answer.
    """
    file = existing_path(path)
    try:
        return criteria_of_codes(read_codes(file.read_bytes(), file.name))
    except ValidationError as error:
        reason = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        raise SetupError(f"`{file.name}` cannot be read as criteria: {reason}.") from error


def code_tree(criteria: Iterable[Criterion], *, keys: Sequence[str] | None = None) -> list[tuple[tuple[str, ...], str]]:
    """The codes of criteria: a code for each criterion, and under it one for each answer, with their descriptions.

    Parameters
    ----------
    criteria
        The criteria.
    keys
        The name of each as a code; by default the names of the criteria.
    """
    tree: list[tuple[tuple[str, ...], str]] = []
    for n, criterion in enumerate(criteria):
        key = keys[n] if keys else criterion.name
        tree.append(((key,), "\n".join(filter(None, (criterion.question, criterion.definition)))))
        tree += [((key, answer), "") for answer in criterion.scale.answers]
    return tree


def write_codebook(criteria: Iterable[Criterion]) -> bytes:
    """The codebook (`.qdc`) of criteria.

    A yes/no criterion is one code, any other one a code with one for each answer under it, so that `from_file` makes
    the same questions of it again.
    """
    etree, _ = import_parser("lxml.etree", "lxml", "a codebook of REFI-QDA")
    root = etree.Element(
        f"{{{CODEBOOK_NAMESPACE}}}CodeBook", {"origin": "buttermilk_nb"}, nsmap={None: CODEBOOK_NAMESPACE}
    )
    codes: list[tuple[tuple[str, ...], str]] = []
    for criterion in criteria:
        tree = code_tree([criterion])
        codes += tree[:1] if isinstance(criterion.scale, YesNo) else tree
    add_codes(root, codes, CODEBOOK_NAMESPACE)
    data: bytes = etree.tostring(root, xml_declaration=True, encoding="utf-8", pretty_print=True)
    return data


def add_codes(codebook: Any, codes: Iterable[tuple[tuple[str, ...], str]], namespace: str) -> None:
    """Add the elements of a code tree to an element; each code once, with the first description."""
    etree, _ = import_parser("lxml.etree", "lxml", "a codebook of REFI-QDA")
    container = etree.SubElement(codebook, f"{{{namespace}}}Codes")
    elements: dict[tuple[str, ...], Any] = {(): container}
    for path, description in codes:
        for n in range(1, len(path) + 1):
            if path[:n] in elements:
                continue
            attributes = {"guid": make_guid("code", *path[:n]), "name": path[n - 1], "isCodable": "true"}
            element = etree.SubElement(elements[path[: n - 1]], f"{{{namespace}}}Code", attributes)
            if n == len(path) and description:
                etree.SubElement(element, f"{{{namespace}}}Description").text = description
            elements[path[:n]] = element
