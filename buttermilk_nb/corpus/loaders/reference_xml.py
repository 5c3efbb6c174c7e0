"""References as XML: PubMed's articles and arXiv's Atom feeds. The abstracts are the texts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from .documents.document import import_parser
from .documents.safe_xml import local_name, parse_xml
from .source import Source, SourceRow, existing_path, file_facts

_PUBMED, _ARXIV = "PubmedArticle", "entry"


def is_reference_xml(data: bytes) -> bool:
    """Whether the beginning of an XML file is one of PubMed or arXiv."""
    head = data[:4096]
    return b"<PubmedArticle" in head or (b"http://www.w3.org/2005/Atom" in head and b"arxiv" in head)


def read(path: str | Path) -> Source:
    """Read references: one row for each, with title, abstract, authors, journal, year and identifiers.

    Raises
    ------
    SetupError
        The file cannot be read as XML, or lxml is not installed.
    """
    file = existing_path(path)
    _, parser = import_parser("lxml.etree", "lxml", file.name)
    root = parse_xml(file.read_bytes(), file.name)
    is_pubmed = any(local_name(item) == _PUBMED for item in root.iter())
    fields_of: Callable[[Any], dict[str, Any]] = _pubmed if is_pubmed else _arxiv
    elements = [item for item in root.iter() if local_name(item) == (_PUBMED if is_pubmed else _ARXIV)]
    rows = []
    for number, element in enumerate(elements, 1):
        fields = {name: value for name, value in fields_of(element).items() if value}
        rows.append(SourceRow(number, fields, None if fields.get("abstract") else "the reference has no abstract"))
    facts = {**file_facts(file), "parser": parser, "read_as": "PubMed" if is_pubmed else "arXiv"}
    return Source(rows, facts, "abstract", "id", folder=file.parent, unit="reference")


def _pubmed(article: Any) -> dict[str, Any]:
    authors = [
        " ".join(
            filter(None, (_text(author, "ForeName"), _text(author, "LastName") or _text(author, "CollectiveName")))
        )
        for author in _all(article, "Author")
    ]
    parts = [
        f"{label}: {text}" if (label := part.get("Label")) else text
        for part in _all(article, "AbstractText")
        if (text := _content(part))
    ]
    dates = _all(article, "PubDate")
    year = (_text(dates[0], "Year") or _text(dates[0], "MedlineDate")[:4]) if dates else ""
    doi = next((_content(item) for item in _all(article, "ArticleId") if item.get("IdType") == "doi"), "")
    return {
        "id": _text(article, "PMID"), "title": _text(article, "ArticleTitle"), "abstract": "\n".join(parts),
        "authors": authors, "journal": _text(article, "Title"), "year": year, "doi": doi,
        "language": _text(article, "Language"),
    }  # fmt: skip


def _arxiv(entry: Any) -> dict[str, Any]:
    return {
        "id": _text(entry, "id").rpartition("/abs/")[2] or _text(entry, "id"), "title": _text(entry, "title"),
        "abstract": _text(entry, "summary"), "authors": [_text(author, "name") for author in _all(entry, "author")],
        "year": _text(entry, "published")[:4], "published": _text(entry, "published"), "doi": _text(entry, "doi"),
        "categories": [item.get("term") for item in _all(entry, "category")],
    }  # fmt: skip


def _all(element: Any, name: str) -> list[Any]:
    return [item for item in element.iter() if local_name(item) == name]


def _content(element: Any) -> str:
    return " ".join("".join(element.itertext()).split())


def _text(element: Any, name: str) -> str:
    """The text of the first element of that name; empty if there is none."""
    return next((_content(item) for item in element.iter() if local_name(item) == name), "")
