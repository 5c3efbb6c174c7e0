"""Decoding of text files: by a byte-order mark, as UTF-8, or with a detected encoding.

Bytes in another encoding are almost never valid UTF-8, so trying UTF-8 first is safe. Only if that fails,
charset-normalizer detects the encoding, and its guess is stored in the provenance. If the text is too short for that,
it is read as Windows-1252, which spreadsheet programs write.
"""

from __future__ import annotations

import codecs
from pathlib import Path

from ...errors import SetupError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ASCII = bytes(range(128))
_WESTERN = {"cp1252", "cp1250", "latin_1", "iso8859_15", "iso8859_2", "cp1254", "cp1257", "mac_roman"}


def decode(data: bytes, encoding: str | None, file_name: str) -> tuple[str, str]:
    """The text, and the name of its encoding.

    Parameters
    ----------
    data
        The bytes.
    encoding
        The encoding; None to detect it.
    file_name
        The file's name, for the error message.

    Raises
    ------
    SetupError
        The given encoding is unknown or does not fit.

    Examples
    --------
    >>> decode("café".encode("cp1252"), None, "x.csv")
    ('café', 'cp1252 (detected)')
    """
    if encoding:
        try:
            return data.decode(encoding).removeprefix("\ufeff"), encoding
        except LookupError:
            raise SetupError(f"`{encoding}` is not an encoding; write for example `utf-8` or `cp1252`.") from None
        except UnicodeDecodeError as error:
            raise SetupError(
                f"`{file_name}` is not valid {encoding} (byte {error.start}); leave out `encoding` to detect it."
            ) from None
    for bom, name in _BOMS:
        if data.startswith(bom):
            return data.decode(name, errors="replace"), f"{name} (byte-order mark)"
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        return _detect_encoding(data, error.start)


def _detect_encoding(data: bytes, first: int) -> tuple[str, str]:
    """Detect from the line with the first byte that is not UTF-8 on, because earlier text is often plain ASCII."""
    from charset_normalizer import from_bytes  # 60 ms to import, and most files are UTF-8

    line = data.rfind(b"\n", 0, first) + 1
    sample = data[max(line, first - 100_000) :][:200_000]
    best = from_bytes(sample).best()
    name = best.encoding if best else "cp1252"
    is_too_short = len(sample) < 200 or len(sample.translate(None, _ASCII)) < 10
    best_name = "cp1252" if is_too_short or name in _WESTERN else name
    try:
        return data.decode(best_name), f"{best_name} (detected)"
    except UnicodeDecodeError:
        return data.decode(name, errors="replace"), f"{name} (detected)"


def read_text(path: Path, encoding: str | None) -> tuple[str, str]:
    """The text of a file and the name of its encoding."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SetupError(f"`{path.name}` cannot be read: {error.strerror}.") from error
    return decode(data, encoding, path.name)
