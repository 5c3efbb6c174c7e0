"""From bytes to text: a BOM decides, then UTF-8, then a detector.

A UTF-8 file decodes strictly or not at all, so trying it first cannot misread another encoding by
more than a coincidence. Only what fails is given to charset-normalizer, whose guess is kept in the
provenance. Where it has too little to go on, Windows-1252 is taken, which is what spreadsheets write.
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
_FAMILY = {"cp1252", "cp1250", "latin_1", "iso8859_15", "iso8859_2", "cp1254", "cp1257", "mac_roman"}


def decode(data: bytes, encoding: str | None, where: str) -> tuple[str, str]:
    """Text and the name of its encoding.

    Parameters
    ----------
    data
        The bytes.
    encoding
        The encoding that was given, or None to detect it.
    where
        The file's name, for the error.

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
                f"`{where}` is not {encoding} (byte {error.start}); leave `encoding` out to have it detected."
            ) from None
    for mark, name in _BOMS:
        if data.startswith(mark):
            return data.decode(name, errors="replace"), f"{name} (byte-order mark)"
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        return _detected(data, error.start)


def _detected(data: bytes, first: int) -> tuple[str, str]:
    """Detect from the line of the first byte that is not UTF-8: what stands before it is often plain ASCII."""
    from charset_normalizer import from_bytes  # 60 ms to import, and most files are UTF-8

    line = data.rfind(b"\n", 0, first) + 1
    sample = data[max(line, first - 100_000) :][:200_000]
    best = from_bytes(sample).best()
    name = best.encoding if best else "cp1252"
    few = len(sample) < 200 or len(sample.translate(None, _ASCII)) < 10
    western = few or name in _FAMILY
    try:
        text = data.decode("cp1252" if western else name)
    except UnicodeDecodeError:
        return data.decode(name, errors="replace"), f"{name} (detected)"
    return text, f"{'cp1252' if western else name} (detected)"


def read_text(path: Path, encoding: str | None) -> tuple[str, str]:
    """The text of a file and the name of its encoding."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SetupError(f"`{path.name}` cannot be read: {error.strerror}.") from error
    return decode(data, encoding, path.name)
