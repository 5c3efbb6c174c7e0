"""Decoding of text files: by a byte-order mark, as UTF-8, or with a detected encoding.

Bytes in another encoding are almost never valid UTF-8, so trying UTF-8 first is safe. Only if that fails, the page is
chosen by the letters of its languages, or by charset-normalizer. What was chosen is in the provenance; where two
readings differ, it is said.
"""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import NamedTuple

from ..._internal.text import shorten
from ...errors import SetupError
from .legacy_pages import fitting_pages, is_sure, rivals

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE = 200_000  # bytes that are looked at
_FAIRLY_SURE = 0.9  # the share of letters below which another reading is said
_LIKELY = 0.7  # the share of letters from which on the page is chosen by them
_MULTI_BYTE = frozenset(
    {"big5", "big5hkscs", "cp932", "cp949", "cp950", "euc_jis_2004", "euc_jisx0213", "euc_jp", "euc_kr", "gb18030",
     "gb2312", "gbk", "hz", "johab", "shift_jis", "shift_jis_2004", "shift_jisx0213"}
)  # fmt: skip
_ISO_2022 = re.compile(rb"\x1b(?:\$[@B]|\([BJI])")
_UTF_8_LETTER = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_BINARY = {
    b"PK\x03\x04": "a zip, such as a document of Word", b"%PDF": "a PDF", b"\xd0\xcf\x11\xe0": "an old Office file",
    b"\x1f\x8b": "a gzip file", b"SQLite format 3": "a database", b"PAR1": "a Parquet file",
}  # fmt: skip
"""The first bytes of files that are no texts, and what these are."""


class StatedEncoding(NamedTuple):
    """An encoding that the user, the first bytes of a file or the lack of any sign states.

    Parameters
    ----------
    codec, errors
        What decodes the file, and what it does with bytes that it cannot decode.
    label
        The encoding as the provenance names it.
    """

    codec: str
    errors: str
    label: str


class DecodedText(NamedTuple):
    """A text, the name of its encoding, and remarks on what was guessed or replaced."""

    text: str
    encoding: str
    remarks: tuple[str, ...] = ()


def decode(data: bytes, encoding: str | None, file_name: str) -> DecodedText:
    """Decode the bytes of a file.

    Parameters
    ----------
    data
        The bytes.
    encoding
        The encoding; None to detect it.
    file_name
        The file's name, for messages.

    Raises
    ------
    SetupError
        The given encoding is unknown or does not fit, or the file is not a text.

    Examples
    --------
    >>> decode("Größe, Übermut, Fässer".encode("cp1252"), None, "x.csv")[:2]
    ('Größe, Übermut, Fässer', 'cp1252 (detected)')
    """
    stated = stated_encoding(data, encoding, file_name)
    if encoding:
        decoded = _decode_as(data, encoding, file_name)
    elif stated and stated.codec != "utf-8":
        decoded = DecodedText(data.decode(stated.codec, errors=stated.errors), stated.label)
    else:
        decoded = _decode_utf(data) or _detect_encoding(data, file_name)
    remarks = nul_remark(file_name, decoded.text.count("\0"))
    if not remarks:
        return decoded
    text = decoded.text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return decoded._replace(text=text, remarks=(*decoded.remarks, *remarks))


def nul_remark(file_name: str, n: int) -> tuple[str, ...]:
    """A remark on the NUL characters of a file, if there are any."""
    return (f"`{file_name}`: {n:,} NUL characters were replaced by \N{REPLACEMENT CHARACTER}.",) if n else ()


def stated_encoding(head: bytes, encoding: str | None, file_name: str) -> StatedEncoding | None:
    """The encoding that a file most likely has; None if only the whole file can tell.

    Parameters
    ----------
    head
        The first bytes of the file.
    encoding
        The encoding that the user states; None if none.
    file_name
        The file's name, for messages.

    Raises
    ------
    SetupError
        The file is not a text, or there is no such encoding.
    """
    for start, kind in _BINARY.items():
        if head.startswith(start):
            raise SetupError(f"`{file_name}` is not a text but {kind}; export it as text first.")
    if encoding:
        try:
            b"a".decode(encoding, errors="replace")
        except (LookupError, UnicodeError):
            raise SetupError(f"`{encoding}` is not an encoding; write for example `utf-8` or `cp1252`.") from None
        return StatedEncoding(encoding, "strict", encoding)
    for bom, name in _BOMS:
        if head.startswith(bom):
            return StatedEncoding(name, "replace", f"{name} (byte-order mark)")
    return None if b"\0" in head or _ISO_2022.search(head) else StatedEncoding("utf-8", "strict", "utf-8")


def read_text(path: Path, encoding: str | None) -> DecodedText:
    """The text of a file."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SetupError(f"`{path.name}` cannot be read: {error.strerror}.") from error
    return decode(data, encoding, path.name)


def _decode_as(data: bytes, encoding: str, file_name: str) -> DecodedText:
    try:
        return DecodedText(data.decode(encoding).removeprefix("\ufeff"), encoding)
    except UnicodeDecodeError as error:
        raise SetupError(
            f"`{file_name}` is not valid {encoding} (byte {error.start}); leave out `encoding` to detect it."
        ) from None


def _decode_utf(data: bytes) -> DecodedText | None:
    """The text if it is UTF-16 without a mark, ISO-2022-JP, or UTF-8."""
    head = data[:_SAMPLE]
    names = []
    if b"\0" in head:
        even, odd = head[::2], head[1::2]
        for name, zeros, others in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
            if zeros.count(0) > 0.3 * len(zeros) and others.count(0) < 0.1 * len(others) + 1:
                names.append(name)
    if _ISO_2022.search(head):
        names.append("iso2022_jp_ext")
    for name in names:
        if (text := _decoded_or_none(data, name)) is not None:
            return DecodedText(text, f"{name} (detected)")
    text = _decoded_or_none(data, "utf-8")
    return None if text is None else DecodedText(text, "utf-8")


def _decoded_or_none(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _detect_encoding(data: bytes, file_name: str) -> DecodedText:
    """Detect the encoding from the lines that are not UTF-8; the others may still be UTF-8."""
    lines = data.splitlines(keepends=True)
    foreign = [i for i, line in enumerate(lines) if not _is_utf_8(line)]
    sample = b"".join(lines[i] for i in foreign)[:_SAMPLE]
    name, remarks = _choose_page(sample, file_name)
    mixed = [i for i, line in enumerate(lines) if _UTF_8_LETTER.search(line) and _is_utf_8(line)]
    if not mixed:
        return DecodedText(data.decode(name, errors="replace"), f"{name} (detected)", tuple(remarks))
    is_foreign = frozenset(foreign)
    parts = [line.decode(name if i in is_foreign else "utf-8", errors="replace") for i, line in enumerate(lines)]
    remarks.append(
        f"`{file_name}` is in two encodings: {_numbered(foreign)} in {name}, the others in UTF-8, and each line was "
        f'read in its own. If that is wrong, write encoding="{name}".'
    )
    return DecodedText("".join(parts), f"utf-8 and {name} (detected)", tuple(remarks))


def _choose_page(sample: bytes, file_name: str) -> tuple[str, list[str]]:
    """The encoding of bytes that are not UTF-8, and a remark if another one is as likely."""
    pages = fitting_pages(sample)
    if is_sure(pages, sample):
        return pages[0].name, []
    from charset_normalizer import from_bytes  # 60 ms to import, and most files are UTF-8

    best = from_bytes(sample).best()
    guess = best.encoding if best else "cp1252"
    if guess in _MULTI_BYTE and (not pages or pages[0].share < _LIKELY):
        return guess, []
    name = pages[0].name if pages and pages[0].share >= _LIKELY else guess
    others = [page.name for page in rivals(pages, sample)]
    if not pages or pages[0].share < _FAIRLY_SURE:
        others += [guess, "cp1252"]
    others = [other for other in others if _reading(sample, other) != _reading(sample, name)]
    if not others:
        return name, []
    return name, [
        f"`{file_name}` was read as {name}: `{_reading(sample, name)}`. As {others[0]} it would be "
        f'`{_reading(sample, others[0])}`; to read it so, write encoding="{others[0]}".'
    ]


def _reading(sample: bytes, encoding: str) -> str:
    """The words with letters beyond ASCII of the first such line, in this encoding."""
    text = sample.decode(encoding, errors="replace")
    words = [word for word in text.split() if not word.isascii()]
    return shorten(" ".join(words[:6]), 60)


def _is_utf_8(line: bytes) -> bool:
    return _decoded_or_none(line, "utf-8") is not None


def _numbered(places: list[int]) -> str:
    """The lines at these places, counted from 1."""
    shown = ", ".join(f"{place + 1:,}" for place in places[:5])
    return f"line{'s' if len(places) > 1 else ''} {shown}{', ...' if len(places) > 5 else ''}"
