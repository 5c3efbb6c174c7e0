"""Exports of press databases: Nexis (LexisNexis), Factiva and ProQuest put many articles into one document.

The document is cut where an article ends, and what stands above the text of an article (title, newspaper, date, byline,
section, number of words) becomes its metadata. That a document is such an export is said, and `as_="document"` keeps it
whole. A part without a text is rejected.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from ..._internal.text import pluralise
from ...errors import SetupError
from .source import Source, SourceRow

WHOLE = "document"
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_N_WORDS = re.compile(r"^([\d.,]+) (?:words|Wörter|mots|palabras)$", re.IGNORECASE)
_FIELD = re.compile(r"^\s*([A-Z][A-Za-z]+(?:[- ][A-Za-z]+)?):\s*(.*)$")
_MARKS = re.compile(r"^(?:#+ |\| )|\s*\|$")

_NEXIS_END = re.compile(r"^\W*End of Document\W*$", re.MULTILINE | re.IGNORECASE)
_NEXIS_START = re.compile(r"^\s*\d+ of \d+ DOCUMENTS\s*$", re.MULTILINE)
_NEXIS_SIGNS = (
    re.compile(rf"{_NEXIS_END.pattern}|{_NEXIS_START.pattern}", re.MULTILINE | re.IGNORECASE),
    re.compile(r"^\W*(?:Load-Date:|Length:\W+[\d.,]+ words|Body\W*$)", re.MULTILINE | re.IGNORECASE),
)
_NEXIS_ABOVE = {"section": "section", "length": "length", "byline": "byline", "dateline": "dateline",
                "highlight": "highlight", "headline": "title", "series": "series"}  # fmt: skip
_NEXIS_BELOW = ("load-date", "language", "publication-type", "graphic", "classification", "journal code", "subject",
                "document-type", "notes")  # fmt: skip
_FACTIVA_END = re.compile(r"^\W*Document [A-Z][A-Z0-9]{3,7}0*20\d{6}\w+\W*$", re.MULTILINE)
_FACTIVA_TAG = re.compile(
    r"^(HD|CR|WC|PD|ET|SN|SC|ED|PG|LA|CY|LP|TD|BY|SE|CLM|CO|IN|NS|RE|IPD|IPC|PUB|AN|ART)\b\s*(?:\|\s*)?(.*)$"
)
_FACTIVA_FACTS = {"HD": "title", "BY": "byline", "SN": "newspaper", "PD": "date", "SE": "section", "PG": "page"}
_PROQUEST_RULE = re.compile(r"^_{20,}\s*$", re.MULTILINE)
_PROQUEST_FACTS = {"title": "title", "author": "byline", "publication title": "newspaper", "publication date": "date",
                   "section": "section", "proquest document id": "proquest_id", "document url": "address"}  # fmt: skip


_PROQUEST_BELOW = ("subject", "location", "people", "company", "business indexing", "identifier", "section",
                   "publication year", "publisher", "place", "country", "copyright", "pages", "volume")  # fmt: skip


class Article(NamedTuple):
    """One article: its text and what is said of it."""

    text: str
    facts: dict[str, str]


def _lines(block: str) -> list[str]:
    return [_MARKS.sub("", line).strip() for line in block.splitlines()]


def nexis_articles(text: str) -> Iterator[Article]:
    """The articles of an export of Nexis."""
    ends = _NEXIS_END.split(text)
    for block in ends[:-1] if len(ends) > 1 else _NEXIS_START.split(text)[1:]:
        yield _nexis_article(_lines(block))


def _nexis_article(lines: Sequence[str]) -> Article:
    facts: dict[str, str] = {}
    first_field = body = None
    for n, line in enumerate(lines):
        field = _FIELD.match(line)
        name = field[1].casefold() if field else ""
        if line.casefold().rstrip(":") == "body":
            body = n + 1
            break
        if field and name in _NEXIS_ABOVE:
            facts.setdefault(_NEXIS_ABOVE[name], field[2].strip())
            body = n + 1
            first_field = n if first_field is None else first_field
        elif line.startswith("Copyright") and first_field is None:
            first_field = n
        elif body is not None and line:
            break
    above = [line for line in lines[: first_field or 0] if line]
    if above and _YEAR.search(above[-1]):
        facts["date"] = above.pop()
        order = ("newspaper", "title")
    elif len(above) > 1 and _YEAR.search(above[1]):  # the older form: newspaper, date, title
        facts["date"] = above.pop(1)
        order = ("title", "newspaper")
    else:
        order = ("newspaper", "title")
    for name in order:
        if above and name not in facts:
            facts[name] = above.pop()
    if body is None:  # nothing says where the text begins, so nothing is cut
        return Article(_paragraphs(lines), facts)
    rest = lines[body:]
    end = next((n for n, line in enumerate(rest) if _is_below(line)), len(rest))
    return Article(_paragraphs(rest[:end]), facts)


def _is_below(line: str) -> bool:
    field = _FIELD.match(line)
    return line.casefold() == "classification" or bool(field and field[1].casefold() in _NEXIS_BELOW)


def factiva_articles(text: str) -> Iterator[Article]:
    """The articles of an export of Factiva, with or without its two-letter tags."""
    for block in _FACTIVA_END.split(text)[:-1]:
        lines = _lines(block)
        tagged = any(_FACTIVA_TAG.match(line) and line.startswith(("LP", "TD", "HD")) for line in lines)
        yield _tagged_article(lines) if tagged else _untagged_article(lines)


def _tagged_article(lines: Sequence[str]) -> Article:
    parts: dict[str, list[str]] = {}
    tag = ""
    for line in lines:
        match = _FACTIVA_TAG.match(line)
        if match:
            tag = match[1]
        parts.setdefault(tag, []).append(match[2] if match else line)
    facts = {name: " ".join(parts[tag]).strip() for tag, name in _FACTIVA_FACTS.items() if tag in parts}
    body = [*parts.get("LP", []), "", *parts.get("TD", [])]
    return Article(_paragraphs(body), {name: value for name, value in facts.items() if value})


def _untagged_article(lines: Sequence[str]) -> Article:
    """Title, byline, number of words, date, newspaper, code, language, copyright; then the text."""
    place = next((n for n, line in enumerate(lines) if _N_WORDS.match(line)), None)
    if place is None:
        return Article(_paragraphs(lines), {})
    above = [line for line in lines[:place] if line]
    facts = {"title": above[0] if above else "", "byline": above[1] if len(above) > 1 else ""}
    below = lines[place + 1 :]
    end = next((n for n, line in enumerate(below) if line.startswith(("Copyright", "©", "(c)"))), None)
    head = [line for line in below[: end or 0] if line]
    date = next((line for line in head if _YEAR.search(line)), "")
    newspaper = next((line for line in head if line != date and not re.fullmatch(r"\d\d?:\d\d", line)), "")
    facts |= {"date": date, "newspaper": newspaper}
    return Article(_paragraphs(below[(end or -1) + 1 :]), {name: value for name, value in facts.items() if value})


def proquest_articles(text: str) -> Iterator[Article]:
    """The articles of an export of ProQuest as text."""
    for block in _PROQUEST_RULE.split(text):
        if not re.search(r"^Full text:", block, re.MULTILINE):
            continue
        facts: dict[str, str] = {}
        body: list[str] = []
        name = ""
        for line in _lines(block):
            field = _FIELD.match(line)
            known = field and (field[1].casefold() in _PROQUEST_FACTS or field[1].casefold() == "full text")
            if field and (known or (name and name != "full text") or (name == "full text" and _ends_text(field[1]))):
                name = field[1].casefold()
                line = field[2]
            if name == "full text":
                body.append(line)
            elif name in _PROQUEST_FACTS and line:
                facts.setdefault(_PROQUEST_FACTS[name], line)
        yield Article(_paragraphs(body), facts)


def _ends_text(name: str) -> bool:
    """Whether a field follows the text of an article in ProQuest."""
    return name.casefold() in _PROQUEST_BELOW


def _paragraphs(lines: Sequence[str]) -> str:
    """The lines as paragraphs, with one empty line between them at most."""
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class PressDatabase(NamedTuple):
    """A database: its name, the signs that its documents have, and what finds the articles."""

    title: str
    signs: tuple[re.Pattern[str], ...]
    articles: Callable[[str], Iterator[Article]]


PRESS_DATABASES: dict[str, PressDatabase] = {
    "nexis": PressDatabase("Nexis", _NEXIS_SIGNS, nexis_articles),
    "factiva": PressDatabase("Factiva", (_FACTIVA_END,), factiva_articles),
    "proquest": PressDatabase(
        "ProQuest", (_PROQUEST_RULE, re.compile(r"^Full text:", re.MULTILINE)), proquest_articles
    ),
}


def apply_press_export(source: Source, kind: str | None, file_name: str) -> Source:
    """The source with a row for each article, if it is an export of a press database.

    Parameters
    ----------
    source
        A source of documents.
    kind
        The database; None to recognise it.
    file_name
        The name of the file or folder, for messages.

    Raises
    ------
    SetupError
        It is no export of that database.
    """
    rows: list[SourceRow] = []
    found: dict[str, int] = {}
    for row in source.rows:
        text = row.fields.get("text")
        name = kind or (_recognise(text) if isinstance(text, str) and not row.problem else None)
        if name is None or not isinstance(text, str) or row.problem:
            rows.append(row)
            continue
        articles = list(PRESS_DATABASES[name].articles(text))
        if not articles and kind:
            title = PRESS_DATABASES[name].title
            raise SetupError(f"`{file_name}` is no export of {title}: no end of an article was found in it.")
        found[name] = found.get(name, 0) + len(articles)
        rows += _article_rows(row, articles)
    if not found:
        return source
    names = " and ".join(PRESS_DATABASES[name].title for name in found)
    n = pluralise(sum(found.values()), "article")
    remark = f'`{file_name}` seems to be an export of {names}: {n}. To keep each document whole, write as_="{WHOLE}".'
    remarks = source.remarks if kind else (*source.remarks, remark)
    return replace(
        source, rows=rows, remarks=remarks, description={**source.description, "read_as": names}, unit="article"
    )


def _recognise(text: str) -> str | None:
    for name, database in PRESS_DATABASES.items():
        if all(sign.search(text) for sign in database.signs):
            return name
    return None


def _article_rows(row: SourceRow, articles: Sequence[Article]) -> Iterator[SourceRow]:
    width = len(str(len(articles)))
    for number, article in enumerate(articles, 1):
        fields = {
            **row.fields,
            "name": f"{row.fields.get('name')}-{number:0{width}}",
            "text": article.text,
            **article.facts,
        }
        yield SourceRow(number, fields, None if article.text else "the article has no text")
