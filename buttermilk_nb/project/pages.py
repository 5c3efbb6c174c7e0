"""`Pages`: the web pages that a project has fetched, each as it came, in a folder that only this user can read."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from pathlib import Path

from .._internal.private_files import make_private_folder, private_files
from ..corpus.web.download_page import WebPage


class Pages:
    """The fetched pages of a project.

    Parameters
    ----------
    folder
        The folder; it is made when the first page comes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, url: str) -> WebPage | None:
        """The page of an address, or None."""
        facts, body = self._paths(url)
        try:
            stored = json.loads(facts.read_text(encoding="utf-8"))
            fetched_at = dt.datetime.fromisoformat(stored["fetched_at"])
            return WebPage(url, stored["final_url"], fetched_at, stored["media_type"], body.read_bytes())
        except (FileNotFoundError, ValueError, KeyError):
            return None

    def put(self, page: WebPage) -> None:
        """Keep a page in place of an earlier one of the same address."""
        facts, body = self._paths(page.url)
        stored = {
            "url": page.url, "final_url": page.final_url, "fetched_at": page.fetched_at.isoformat(),
            "media_type": page.media_type,
        }  # fmt: skip
        make_private_folder(self.folder)
        with private_files(self.folder):
            for path, data in ((body, page.body), (facts, json.dumps(stored, indent=1).encode())):
                part = path.with_name(f".{path.name}.part")
                part.write_bytes(data)
                part.replace(path)

    def remove(self, url: str) -> bool:
        """Remove the page of an address; returns whether there was one."""
        paths = [path for path in self._paths(url) if path.exists()]
        for path in paths:
            path.unlink()
        return bool(paths)

    def _paths(self, url: str) -> tuple[Path, Path]:
        stem = hashlib.sha256(url.encode()).hexdigest()[:32]
        return self.folder / f"{stem}.json", self.folder / f"{stem}.html"
