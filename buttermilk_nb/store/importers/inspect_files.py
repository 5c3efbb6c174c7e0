"""The JSON inside an Inspect log: a zip (`.eval`) with a file a sample, or one JSON file (the older form).

Read with our own code, since a log is hostile input like any other: nothing is unpacked to disk under a name of
its own, every member is bounded, also where its stated size is wrong, and the whole is too. Members may be stored,
deflated or (in newer logs) packed with Zstandard, which DuckDB unpacks.
"""

from __future__ import annotations

import json
import re
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from ...errors import SetupError

MAX_MEMBER = 256 * 1024**2
"""Bytes of JSON that one sample may have."""
MAX_TOTAL = 8 * 1024**3
"""Bytes of JSON that a whole log may have."""
_ZSTD = 93
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")
_SAMPLE = re.compile(r"samples/[^/]+\.json")


class InspectFile:
    """An open log.

    Parameters
    ----------
    path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._zipped = zipfile.is_zipfile(path)
        self._whole = None if self._zipped else self._plain()

    def header(self) -> dict[str, Any]:
        """What the log says of itself; of a log that was never closed, what it said at its start."""
        if self._whole is not None:
            return {key: value for key, value in self._whole.items() if key not in ("samples", "reductions")}
        with self._opened() as archive:
            names = set(archive.namelist())
            name = next((name for name in ("header.json", "_journal/start.json") if name in names), None)
            if name is None:
                raise SetupError(f"`{self._path.name}` is a zip, but not an Inspect log: it has no `header.json`.")
            return _object(self._read(archive, archive.getinfo(name)), self._path.name, name)

    def samples(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each sample, with the name under which it stands in the file; one in memory at a time."""
        if self._whole is not None:
            for place, sample in enumerate(self._whole.get("samples") or [], 1):
                yield f"sample {place}", _object(sample, self._path.name, f"sample {place}")
            return
        with self._opened() as archive:
            members = [member for member in archive.infolist() if _SAMPLE.fullmatch(member.filename)]
            if sum(member.file_size for member in members) > MAX_TOTAL:
                raise SetupError(f"`{self._path.name}` would unpack to more than {MAX_TOTAL / 1024**3:.0f} GiB.")
            for member in members:
                yield member.filename, _object(self._read(archive, member), self._path.name, member.filename)

    def _opened(self) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(self._path)
        except (zipfile.BadZipFile, OSError) as error:
            raise SetupError(f"`{self._path.name}` cannot be read as a zip: {error}.") from error

    def _plain(self) -> dict[str, Any]:
        if self._path.stat().st_size > MAX_TOTAL:
            raise SetupError(f"`{self._path.name}` has more than {MAX_TOTAL / 1024**3:.0f} GiB.")
        found = _loads(self._path.read_bytes(), self._path.name, "it")
        whole = _object(found, self._path.name, "it")
        if not isinstance(whole.get("eval"), dict):
            raise SetupError(f"`{self._path.name}` is not an Inspect log: it has no `eval`.")
        return whole

    def _read(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Any:
        where = self._path.name
        if member.file_size > MAX_MEMBER:
            raise SetupError(f"`{member.filename}` in `{where}` has more than {MAX_MEMBER / 1024**2:.0f} MiB.")
        try:
            if member.compress_type == _ZSTD:
                return _loads(_unpacked(self._raw(member)), where, member.filename)
            with archive.open(member) as handle:
                data = handle.read(MAX_MEMBER + 1)
        except NotImplementedError:  # zipfile raises it for a method of packing that it does not know
            raise SetupError(f"`{member.filename}` in `{where}` is packed in a way that cannot be read here.") from None
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, duckdb.Error, struct.error) as error:
            raise SetupError(f"`{member.filename}` in `{where}` cannot be read: {_first_line(error)}.") from error
        if len(data) > MAX_MEMBER:
            raise SetupError(f"`{member.filename}` in `{where}` has more than {MAX_MEMBER / 1024**2:.0f} MiB.")
        return _loads(data, where, member.filename)

    def _raw(self, member: zipfile.ZipInfo) -> bytes:
        """A member as it is packed, which `zipfile` does not hand out."""
        with self._path.open("rb") as handle:
            handle.seek(member.header_offset)
            head = _LOCAL_HEADER.unpack(handle.read(_LOCAL_HEADER.size))
            handle.seek(head[-2] + head[-1], 1)
            return handle.read(member.compress_size)


def _unpacked(packed: bytes) -> bytes:
    """JSON that was packed with Zstandard; refused beyond `MAX_MEMBER`."""
    with (
        tempfile.TemporaryDirectory(prefix="buttermilk_nb-") as folder,
        duckdb.connect(config={"autoinstall_known_extensions": False}) as con,
    ):
        file = Path(folder) / "member"
        file.write_bytes(packed)
        found = con.execute(
            "select json from read_json_objects(?, format = 'unstructured', compression = 'zstd', "
            "maximum_object_size = ?)",
            [str(file), MAX_MEMBER],
        ).fetchone()
    return str(found[0]).encode() if found else b""


def _loads(data: bytes, where: str, name: str) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise SetupError(f"`{name}` in `{where}` is not valid JSON: {error}.") from None


def _object(found: Any, where: str, name: str) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise SetupError(f"`{name}` in `{where}` is not an object.")
    return found


def _first_line(error: Exception) -> str:
    return (str(error).strip() or repr(error)).splitlines()[0].rstrip(".")
