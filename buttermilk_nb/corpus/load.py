"""`load`: a corpus from whatever a researcher has, by what it is."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SetupError, nearest
from . import loaders
from .corpus import Corpus
from .loaders import MappingOptions
from .record import Record

if TYPE_CHECKING:
    import pandas as pd


def load(
    source: str | Path | pd.DataFrame | Iterable[Mapping[str, Any] | Record],
    *,
    content: str | None = None,
    record_id: str | None = None,
    truth: str | Mapping[str, str] | None = None,
    truth_values: Mapping[Any, Any] | None = None,
    reasons: str | Mapping[str, str] | None = None,
    coders: Mapping[str, str | Mapping[str, str]] | None = None,
    cluster: str | None = None,
    metadata: Iterable[str] | None = None,
    images: str | None = None,
    local_only: bool | str | None = None,
    on_error: str = "keep",
    **format_options: Any,
) -> Corpus:
    """Load a corpus from a file, a folder, a zip, a dataframe or a list, by what it is.

    Parameters
    ----------
    source
        A path ending in .csv, .tsv, .xlsx, .jsonl, .ndjson, .json, .parquet or .zip; a folder of texts
        and images; a pandas dataframe; or a list of dictionaries or Records. An address (`gs://...`, `s3://...`,
        `https://...`) is fetched; what it needs beyond this package, the error says.
    content
        The column that holds the text. Folders and zips need none, nor do tables of images alone.
    record_id
        The column that holds the id; without one, ids are made from text and images. Ids stay text.
    truth
        The column with the expert's answer, or a mapping from criterion to column.
    truth_values
        From the words in the data to the words of the scale, for truth and coders:
        `{"hateful": "yes", "non-hateful": "no"}`.
    reasons
        The column with the expert's reasons (a list, or text parted by ` | ` or line breaks), or a
        mapping from criterion to column.
    coders
        Human codes that come with the data: `{"kf": "kf_column"}`, or per criterion
        `{"kf": {"respect": "kf_respect"}}`.
    cluster
        The column that says which records are not independent: author, outlet, thread.
    metadata
        The columns to keep as metadata; by default every column that has no other role.
    images
        The column that names image files: paths as seen from the folder of the table (of a dataframe or a
        list: from the current folder), several of them in a list or parted by `;`. Images that are in the
        table itself, as bytes, are taken too. Addresses are never fetched.
    local_only
        `True` where no record may go to a model outside this machine, or the column that says `yes` or
        `no` for each.
    on_error
        `keep` lists bad rows in `corpus.rejected`; `raise` stops at them.
    **format_options
        What the format takes: `encoding`, `delimiter`, `sheet`, `at`, `pattern`.

    Raises
    ------
    SetupError
        No such file, no such column, a format that is not known, or an image that is missing or broken.

    Examples
    --------
    >>> load([{"text": "One."}, {"text": "Two."}], content="text")
    Corpus(2 records)
    """
    mapping = MappingOptions(
        content=content,
        record_id=record_id,
        truth=truth,
        truth_values=truth_values,
        reasons=reasons,
        coders=coders,
        cluster=cluster,
        metadata=metadata,
        images=images,
        local_only=local_only,
    )
    if isinstance(source, str) and loaders.remote.is_remote(source):
        with loaders.remote.fetched(source) as path:
            found = load(path, on_error=on_error, **mapping, **format_options)
        return found.with_provenance(address=loaders.remote.display_address(source))
    read = _reader(source)
    own = [name for name in inspect.signature(read).parameters if name not in ("path", "frame", "items", "mapping")]
    for name in format_options:
        if name not in own:
            known = [*own, *MappingOptions.__annotations__]
            raise SetupError(f"`{read.__name__}` takes no option `{name}`; {nearest(name, known)}")
    return read(source, on_error=on_error, **mapping, **format_options)


_BY_ENDING: dict[str, Callable[..., Corpus]] = {
    ".csv": Corpus.from_csv,
    ".tsv": Corpus.from_csv,
    ".tab": Corpus.from_csv,
    ".xlsx": Corpus.from_xlsx,
    ".jsonl": Corpus.from_jsonl,
    ".ndjson": Corpus.from_jsonl,
    ".json": Corpus.from_json,
    ".parquet": Corpus.from_parquet,
    ".zip": Corpus.from_zip,
}


def _reader(source: Any) -> Callable[..., Corpus]:
    if source is None or isinstance(source, int | float | bytes):
        raise SetupError(f"{source!r:.40} is not a corpus: give a path, a dataframe, or a list of dictionaries.")
    if not isinstance(source, str | Path):
        return Corpus.from_dataframe if hasattr(source, "itertuples") else Corpus.from_records
    path = loaders.base.existing(source)
    if path.is_dir():
        return Corpus.from_folder
    ending = path.suffix.lower()
    if ending not in _BY_ENDING:
        raise SetupError(f"`{path.name}`: no loader for `{ending}`; there are {', '.join(_BY_ENDING)} and folders.")
    return _BY_ENDING[ending]
