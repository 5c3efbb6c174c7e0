"""`fetch`: web pages as records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

from .._internal.arguments import check_arguments
from ..corpus.corpus import Corpus
from ..corpus.record import Record
from ..corpus.web.download_page import download_page
from ..corpus.web.page_record import page_record
from ..errors import SetupError
from .project import Project
from .session import require_project


@overload
def fetch(  # type: ignore[overload-overlap]  # a text is a sequence of texts
    url: str,
    *,
    again: bool = ...,
    robots: bool = ...,
    limit_bytes: int = ...,
    timeout_s: float = ...,
    project: Project | None = ...,
) -> Record: ...
@overload
def fetch(
    url: Sequence[str],
    *,
    again: bool = ...,
    robots: bool = ...,
    limit_bytes: int = ...,
    timeout_s: float = ...,
    project: Project | None = ...,
) -> Corpus: ...
@check_arguments
def fetch(
    url: str | Sequence[str],
    *,
    again: bool = False,
    robots: bool = True,
    limit_bytes: int = 5_000_000,
    timeout_s: float = 30.0,
    project: Project | None = None,
) -> Record | Corpus:
    """Fetch a web page as a record: its main text, its title, its time, and the address that it led to.

    The page itself is kept in the folder `pages` of the project. So a second call, and a run of the notebook on another
    day, needs no network and gives the same record.

    Parameters
    ----------
    url
        The address of a page, or several. One record or a corpus is returned.
    again
        Fetch also what is there already; the earlier page is then replaced.
    robots
        Whether a site's robots.txt decides if a page may be fetched. Set it to False only with the site's permission.
    limit_bytes
        The largest page that is taken, in bytes.
    timeout_s
        How long one request may take, in seconds.
    project
        By default the open project.

    Returns
    -------
    Record or Corpus
        The id of a record is the address that was asked for, and `uri` the one that it led to. The metadata are
        `title`, `author`, `published`, `site` and `language` as far as the page says them, and `fetched_at` (UTC) and
        `page_sha256`.

    Raises
    ------
    SetupError
        A page cannot or must not be fetched, or has no main text. Pages that came before it are kept.

    Notes
    -----
    The main text is found by trafilatura (Barbaresi 2021, Trafilatura: a web scraping library and command-line tool for
    text discovery and extraction, ACL 2021 System Demonstrations).

    Examples
    --------
    >>> import tempfile
    >>> from buttermilk_nb import init
    >>> _ = init("fetch-example", path=tempfile.mkdtemp())
    >>> try:  # record = fetch("https://example.org/article")
    ...     fetch("example.org/article")
    ... except SetupError as error:
    ...     print(error)
    `example.org/article` is no address of a web page; it begins with https:// or http://.
    """
    project = require_project(project)
    addresses = [url] if isinstance(url, str) else list(url)
    if not addresses:
        raise SetupError("no address is given.")
    for address in addresses:
        if not isinstance(address, str):
            raise SetupError(
                f"{address!r:.60} is no address of a web page; give texts that begin with https:// or http://."
            )
    records = []
    for address in addresses:
        page = None if again else project.pages.get(address)
        if page is None:
            page = download_page(address, limit_bytes=limit_bytes, timeout_s=timeout_s, respect_robots=robots)
            record = page_record(page)
            project.pages.put(page)
        else:
            record = page_record(page)
        records.append(record)
    return records[0] if isinstance(url, str) else Corpus(records)
