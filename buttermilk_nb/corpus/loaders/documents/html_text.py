"""The whole text of a page in HTML, with marks for headings, lists and tables. Scripts are never run, and left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ....errors import SetupError
from ..encodings import DecodedText, decode
from .document import heading, import_parser, join_blocks, table_row
from .safe_xml import local_name

_SKIPPED = frozenset({"script", "style", "head", "template", "noscript", "svg", "math", "iframe", "object", "nav",
                      "button", "select", "textarea"})  # fmt: skip
_BLOCKS = frozenset({"address", "article", "aside", "blockquote", "body", "center", "dd", "details", "div", "dl", "dt",
                     "fieldset", "figcaption", "figure", "footer", "form", "header", "hr", "html", "li", "main", "ol",
                     "p", "pre", "section", "summary", "table", "tbody", "tfoot", "thead", "tr", "ul"})  # fmt: skip
_CHARSET = re.compile(rb"""(?:charset\s*=|encoding\s*=)\s*["']?\s*([A-Za-z0-9_.:-]{2,40})""", re.IGNORECASE)
_HEAD_BYTES = 4_096
_DECLARATION = re.compile(r"\A\s*<\?xml[^>]*\?>")
"""An XML declaration, which lxml does not take in a text that is decoded already."""
_WHITE_SPACE = re.compile(r"[ \t\r\n]+")
_HEADINGS = {f"h{level}": level for level in range(1, 7)}


def decode_html(data: bytes, name: str) -> DecodedText:
    """The source of a page: in the encoding that it declares, else in the one that is detected.

    Examples
    --------
    >>> decode_html('<meta charset="cp1252"><p>Größe'.encode("cp1252"), "x.html").text[-5:]
    'Größe'
    """
    declared = _CHARSET.search(data[:_HEAD_BYTES])
    if declared and decoded_as("utf-8", data) is None:  # valid UTF-8 is hardly ever in another encoding
        encoding = declared[1].decode()
        text = decoded_as(encoding, data)
        if text is not None:
            return DecodedText(text, encoding)
    return decode(data, None, name)


def decoded_as(encoding: str, data: bytes) -> str | None:
    """The text in an encoding; None if it is not in it, or if there is no such encoding."""
    try:
        return data.decode(encoding)
    except (LookupError, UnicodeDecodeError):
        return None


def html_text(source: str, name: str) -> str:
    r"""The text of a page or of a chapter.

    Parameters
    ----------
    source
        The page.
    name
        The name of the file, for messages.

    Raises
    ------
    SetupError
        The page is nested too deep, or lxml is not installed.

    Examples
    --------
    >>> html_text("<h1>The harbour</h1><p>It <b>was</b> closed.<script>alert(1)</script>", "x.html")
    '# The harbour\n\nIt was closed.'
    """
    html, _ = import_parser("lxml.html", "lxml", name)
    if not source.strip("\0 \r\n\t"):
        return ""
    parser = html.HTMLParser(no_network=True, remove_comments=True)
    try:
        root = html.document_fromstring(_DECLARATION.sub("", source), parser=parser)
    except (ValueError, html.etree.ParserError):
        return ""
    if any("depth" in entry.message.lower() for entry in parser.error_log):
        raise SetupError(f"`{name}` is nested too deep to be read.")
    return join_blocks(_blocks(root))


def _blocks(element: Any) -> Iterator[str]:
    """The blocks of an element: its own words between other blocks are a paragraph."""
    words = [_one_line(element.text)]
    for child in element:
        kind = local_name(child).lower()
        if kind and kind not in _SKIPPED:
            if kind in _HEADINGS or kind in _BLOCKS or _has_blocks(child):
                yield _paragraph(words)
                words = []
                yield from _block(child, kind)
            else:
                words.append("\n" if kind == "br" else "".join(_inline(child)))
        words.append(_one_line(child.tail))
    yield _paragraph(words)


def _block(element: Any, kind: str) -> Iterator[str]:
    if kind in _HEADINGS:
        text = " ".join("".join(_inline(element)).split())
        yield heading(_HEADINGS[kind], text) if text else ""
    elif kind == "li":
        first, *others = [*filter(None, _blocks(element)), ""]
        yield f"- {first}" if first and not first.startswith("- ") else first
        yield from others
    elif kind == "tr":
        cells = [" ".join(filter(None, _blocks(cell))) for cell in element if local_name(cell).lower() in ("td", "th")]
        yield table_row(cells) if any(cells) else ""
    else:
        yield from _blocks(element)


def _inline(element: Any) -> Iterator[str]:
    yield _one_line(element.text)
    for child in element:
        kind = local_name(child).lower()
        if kind and kind not in _SKIPPED:
            yield "\n" if kind == "br" else ""
            yield from _inline(child)
        yield _one_line(child.tail)


def _has_blocks(element: Any) -> bool:
    return any(
        local_name(child).lower() in _BLOCKS or local_name(child).lower() in _HEADINGS for child in element.iter()
    )


def _one_line(text: str | None) -> str:
    """Text of the source, whose line breaks mean nothing; those of `<br>` do."""
    return _WHITE_SPACE.sub(" ", text or "")


def _paragraph(words: list[str]) -> str:
    lines = "".join(words).split("\n")
    return "\n".join(filter(None, (" ".join(line.split()) for line in lines)))
