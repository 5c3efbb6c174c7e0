"""`TextFile`: a text file that is read line by line, as often as needed, without holding all of it in memory."""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...errors import SetupError
from .encodings import decode, nul_remark, stated_encoding

_CHUNK = 1 << 20
_LINE = {
    "": re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z"),
    "\n": re.compile(r"[^\n]*\n|[^\n]+\Z"),
}


class TextFile:
    r"""A text file whose encoding is known.

    A file in UTF-8, with a byte-order mark or in an encoding that the user states is decoded anew at each reading. A
    file in another encoding, which only the whole of it shows, is decoded once and held.

    Parameters
    ----------
    path
        The file.
    encoding
        Its encoding; None to detect it.

    Attributes
    ----------
    encoding
        The encoding as the provenance names it.
    facts
        The name, size and SHA-256 of the file.
    remarks
        What was guessed or replaced.

    Raises
    ------
    SetupError
        The file cannot be read, is not a text, or is not in the stated encoding.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "talk.txt"
    >>> _ = path.write_bytes("Größe\nFässer".encode("utf-8-sig"))
    >>> file = TextFile(path)
    >>> file.encoding, list(file.lines())
    ('utf-8-sig (byte-order mark)', ['Größe\n', 'Fässer'])
    """

    def __init__(self, path: Path, encoding: str | None = None) -> None:
        self._path = path
        self._text: str | None = None
        try:
            status = path.stat()
            with path.open("rb") as handle:
                self._stated = stated_encoding(handle.read(_CHUNK), encoding, path.name)
            sha, n_nul = self._scan()
            if self._stated and n_nul is not None:
                self.encoding, self.remarks = self._stated.label, nul_remark(path.name, n_nul)
            else:
                self._text, self.encoding, self.remarks = decode(path.read_bytes(), encoding, path.name)
        except OSError as error:
            raise SetupError(f"`{path.name}` cannot be read: {error.strerror}.") from error
        self._has_nul = bool(n_nul)
        self._state = (status.st_size, status.st_mtime_ns)
        self.facts: dict[str, Any] = {"file": path.name, "sha256": sha, "bytes": status.st_size}

    def _scan(self) -> tuple[str, int | None]:
        """The SHA-256 of the file, and how many NUL characters it has; None if it is not in its stated encoding."""
        sha, n_nul = hashlib.sha256(), 0
        decoder = codecs.getincrementaldecoder(self._stated.codec)(self._stated.errors) if self._stated else None
        with self._path.open("rb") as handle:
            while chunk := handle.read(_CHUNK):
                sha.update(chunk)
                try:
                    n_nul += decoder.decode(chunk).count("\0") if decoder else 0
                except UnicodeError:
                    decoder = None
        try:
            n_nul += decoder.decode(b"", final=True).count("\0") if decoder else 0
        except UnicodeError:
            decoder = None
        return sha.hexdigest(), n_nul if decoder else None

    def lines(self, newline: str = "") -> Iterator[str]:
        r"""The lines with their endings; `newline="\n"` takes a lone `\r` for a character of the line.

        Raises
        ------
        SetupError
            The file was changed since it was opened.
        """
        if self._text is not None:
            yield from (match[0] for match in _LINE[newline].finditer(self._text))
            return
        assert self._stated, "a file that is not held has a known encoding"
        status = self._path.stat()
        if (status.st_size, status.st_mtime_ns) != self._state:
            raise SetupError(f"`{self._path.name}` was changed while it was read; load it again.")
        with self._path.open(encoding=self._stated.codec, errors=self._stated.errors, newline=newline) as handle:
            for number, line in enumerate(handle):
                text = line if number else line.removeprefix("\ufeff")
                yield text.replace("\0", "\N{REPLACEMENT CHARACTER}") if self._has_nul else text
