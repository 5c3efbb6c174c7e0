"""Reads the JSON inside an Inspect log: a zip (`.eval`) or one JSON file.

A zip has one file per sample; the single JSON file is the older form. We read it with our own code, because a log may
be hostile like any other input. No member is unpacked to disk under its own name. The size of every member is limited,
even if its stated size is wrong, and so is the total. Members may be stored, deflated or (in newer logs) packed with
Zstandard, which DuckDB unpacks.
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
        self._is_zip = zipfile.is_zipfile(path)
        self._document = None if self._is_zip else self._read_json_log()

    def header(self) -> dict[str, Any]:
        """The header of the log; if the log was never closed, its description from the start."""
        if self._document is not None:
            return {key: value for key, value in self._document.items() if key not in ("samples", "reductions")}
        with self._open_zip() as archive:
            names = set(archive.namelist())
            name = next((name for name in ("header.json", "_journal/start.json") if name in names), None)
            if name is None:
                raise SetupError(f"`{self._path.name}` is a zip, but not an Inspect log: it has no `header.json`.")
            return _require_object(self._read_member(archive, archive.getinfo(name)), self._path.name, name)

    def samples(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each sample with its name in the file; only one is in memory at a time."""
        if self._document is not None:
            for number, sample in enumerate(self._document.get("samples") or [], 1):
                yield f"sample {number}", _require_object(sample, self._path.name, f"sample {number}")
            return
        with self._open_zip() as archive:
            members = [member for member in archive.infolist() if _SAMPLE.fullmatch(member.filename)]
            if sum(member.file_size for member in members) > MAX_TOTAL:
                raise SetupError(f"`{self._path.name}` would unpack to more than {MAX_TOTAL / 1024**3:.0f} GiB.")
            for member in members:
                yield (
                    member.filename,
                    _require_object(self._read_member(archive, member), self._path.name, member.filename),
                )

    def _open_zip(self) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(self._path)
        except (zipfile.BadZipFile, OSError) as error:
            raise SetupError(f"`{self._path.name}` cannot be read as a zip: {error}.") from error

    def _read_json_log(self) -> dict[str, Any]:
        if self._path.stat().st_size > MAX_TOTAL:
            raise SetupError(f"`{self._path.name}` has more than {MAX_TOTAL / 1024**3:.0f} GiB.")
        parsed = _parse_json(self._path.read_bytes(), self._path.name, "it")
        log = _require_object(parsed, self._path.name, "it")
        if not isinstance(log.get("eval"), dict):
            raise SetupError(f"`{self._path.name}` is not an Inspect log: it has no `eval`.")
        return log

    def _read_member(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Any:
        file_name = self._path.name
        if member.file_size > MAX_MEMBER:
            raise SetupError(f"`{member.filename}` in `{file_name}` has more than {MAX_MEMBER / 1024**2:.0f} MiB.")
        try:
            if member.compress_type == _ZSTD:
                return _parse_json(_unpack_zstd(self._packed_bytes(member)), file_name, member.filename)
            with archive.open(member) as handle:
                data = handle.read(MAX_MEMBER + 1)
        except NotImplementedError:  # zipfile raises it for an unknown compression method
            raise SetupError(
                f"`{member.filename}` in `{file_name}` has a compression method that cannot be read here."
            ) from None
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, duckdb.Error, struct.error) as error:
            raise SetupError(f"`{member.filename}` in `{file_name}` cannot be read: {_first_line(error)}.") from error
        if len(data) > MAX_MEMBER:
            raise SetupError(f"`{member.filename}` in `{file_name}` has more than {MAX_MEMBER / 1024**2:.0f} MiB.")
        return _parse_json(data, file_name, member.filename)

    def _packed_bytes(self, member: zipfile.ZipInfo) -> bytes:
        """The packed bytes of a member, which `zipfile` does not return."""
        with self._path.open("rb") as handle:
            handle.seek(member.header_offset)
            local_header = _LOCAL_HEADER.unpack(handle.read(_LOCAL_HEADER.size))
            handle.seek(local_header[-2] + local_header[-1], 1)
            return handle.read(member.compress_size)


def _unpack_zstd(packed: bytes) -> bytes:
    """The JSON in bytes packed with Zstandard; DuckDB refuses more than `MAX_MEMBER` bytes."""
    with (
        tempfile.TemporaryDirectory(prefix="buttermilk_nb-") as folder,
        duckdb.connect(config={"autoinstall_known_extensions": False}) as con,
    ):
        file = Path(folder) / "member"
        file.write_bytes(packed)
        row = con.execute(
            "select json from read_json_objects(?, format = 'unstructured', compression = 'zstd', "
            "maximum_object_size = ?)",
            [str(file), MAX_MEMBER],
        ).fetchone()
    return str(row[0]).encode() if row else b""


def _parse_json(data: bytes, file_name: str, name: str) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise SetupError(f"`{name}` in `{file_name}` is not valid JSON: {error}.") from None


def _require_object(value: Any, file_name: str, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise SetupError(f"`{name}` in `{file_name}` is not an object.")
    return value


def _first_line(error: Exception) -> str:
    return (str(error).strip() or repr(error)).splitlines()[0].rstrip(".")
