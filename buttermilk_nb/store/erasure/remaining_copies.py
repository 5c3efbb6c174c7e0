"""List the files in a project's folder that contain, or may contain, what was forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .erased_texts import ErasedTexts

_MAX_BYTES = 50_000_000
_CHUNK = 1_000_000
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
        if any(path.resolve().is_relative_to(other) for other in known) or path.stat().st_size > _MAX_BYTES:
            continue
        if _quotes(path, erased):
            yield path


def _quotes(path: Path, erased: ErasedTexts) -> bool:
    try:
        text = path.read_bytes().decode("utf-8", errors="replace")
    except OSError:  # it may hold anything
        return True
    parts = [text[start : start + _CHUNK + 1_000] for start in range(0, len(text), _CHUNK)]
    return any(erased.occurs_in(part) for part in parts)
