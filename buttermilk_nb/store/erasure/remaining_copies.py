"""List the files in a project's folder that contain, or may contain, what was forgotten."""

from __future__ import annotations

import codecs
import html
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from .erased_texts import ErasedTexts

_MAX_BYTES = 50_000_000
_CHUNK = 1_000_000
_ZIP = b"PK\x03\x04"
_PACKED = (b"PAR1", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"\x28\xb5\x2f\xfd")
"""How files begin that are packed in a way that is not searched: Parquet, gzip, bzip2, xz, 7z, zstd."""
_NOT_LISTED = (".lock", ".next")


def remaining_copies(store_file: Path, project_folder: Path, erased: ErasedTexts | None) -> list[str]:
    """The paths of such files: copies that this package made, and files of any kind that quote the record.

    Parameters
    ----------
    store_file
        The DuckDB file.
    project_folder
        The project's folder.
    erased
        The texts of the record; None if only known copies are to be listed.
    """
    store_folder = store_file.parent
    backups = sorted(store_folder.glob(f"{store_file.name}.before-v*"))
    spooled = sorted(path for path in (store_folder / "spool").glob("*") if path.suffix in (".damaged", ".part"))
    logs = sorted(path for path in (project_folder / "logs").glob("*") if ".jsonl" not in path.name)
    folders = [project_folder / name for name in ("exports", "snapshots") if any((project_folder / name).glob("*"))]
    listed = [*backups, *spooled, *logs, *folders]
    quoting = [] if erased is None else list(_files_that_quote(project_folder, erased, [*listed, store_file]))
    return [str(path) for path in (*listed, *quoting)]


def _files_that_quote(folder: Path, erased: ErasedTexts, listed: list[Path]) -> Iterator[Path]:
    known = [path.resolve() for path in (*listed, folder / "cache", folder / "logs")]
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file() or path.name.endswith(_NOT_LISTED):
            continue
        if any(path.resolve().is_relative_to(other) for other in known):
            continue
        if _may_quote(path, erased):
            yield path


def _may_quote(path: Path, erased: ErasedTexts) -> bool:
    """Whether a file quotes the record, or cannot be searched: it is too large, packed, or not readable."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            return True
        content = path.read_bytes()
        texts = _unpacked_texts(path) if content.startswith(_ZIP) else [_decode(content)]
    except (OSError, zipfile.BadZipFile, zlib.error, ValueError):  # damaged, or too large
        return True
    except (RuntimeError, NotImplementedError):  # zipfile raises these for a password and an unknown compression
        return True
    return content.startswith(_PACKED) or any(
        erased.occurs_in(text[start : start + _CHUNK + 1_000])
        for text in texts
        for start in range(0, len(text), _CHUNK)
    )


def _unpacked_texts(path: Path) -> list[str]:
    """The texts of the files in a zip, such as the sheets of a workbook.

    Raises
    ------
    ValueError
        They are too large.
    """
    with zipfile.ZipFile(path) as archive:
        if sum(member.file_size for member in archive.infolist()) > _MAX_BYTES:
            raise ValueError("too large")
        return [html.unescape(_decode(archive.read(member))) for member in archive.infolist()]


def _decode(content: bytes) -> str:
    encoding = "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8"
    return content.decode(encoding, errors="replace")
