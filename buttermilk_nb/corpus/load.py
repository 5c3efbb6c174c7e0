"""`load`: a corpus from a file, folder, table, list or address."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._internal.arguments import require_text
from ..errors import SetupError, nearest
from . import loaders
from .corpus import Corpus
from .loaders import MappingOptions
from .record import Record

if TYPE_CHECKING:
    import pandas as pd


def load(
    source: str | Path | pd.DataFrame | Iterable[Mapping[str, Any] | Record | str],
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
    images_from: str | Path | None = None,
    local_only: bool | str | None = None,
    on_error: str = "keep",
    **format_options: Any,
) -> Corpus:
    """Load a corpus from a file, a folder, a zip, a dataframe, a list or an address.

    Parameters
    ----------
    source
        A path that ends in .csv, .tsv, .tab, .xlsx, .jsonl, .ndjson, .json, .parquet, .vtt, .srt or .zip; a folder of
        texts and images; a pandas dataframe; or a list of dictionaries, Records or texts. An address (`gs://...`, `s3://...`,
        `https://...`) is downloaded first. If that needs another package, the error message names it.
    content
        The column with the text; by default `content` or `text`. Folders and zips do not need it, nor do tables that
        contain only images.
    record_id
        The column with the id. Without one, ids are made from text and images. Ids stay text.
    truth
        The column with the expert's answer, or a mapping from criterion to column.
    truth_values
        A mapping from the words in the data to the words of the scale, for truth and coders:
        `{"hateful": "yes", "non-hateful": "no"}`.
    reasons
        The column with the expert's reasons (a list, or text separated by ` | ` or line breaks), or a mapping from
        criterion to column.
    coders
        Human codes in the data: `{"kf": "kf_column"}`, or per criterion `{"kf": {"respect": "kf_respect"}}`.
    cluster
        The column with the cluster. Records of one cluster (author, outlet, thread) are not independent.
    metadata
        The columns to keep as metadata. By default, every column that has no other role.
    images
        The column with the paths of image files, several of them in a list or separated by `;`. The column may also
        contain the images themselves, as bytes. Images are never downloaded from an address.
    images_from
        The folder from which the paths in `images` start, and in which the files must be. By default the folder of the
        table; for a dataframe or a list, the current folder.
    local_only
        `True` if no record may be sent to a model outside this machine; or the column that says `yes` or `no` for each
        record.
    on_error
        `keep` lists bad rows in `corpus.rejected`; `raise` raises an error for them.
    **format_options
        Options of the format: `encoding`, `delimiter`, `sheet`, `at`, `pattern`, `follow_links`; for transcripts with
        times `by` (`document`, `turn` or `cue`) and `media`, the recording.

    Returns
    -------
    Corpus
        The records, and the rejected rows.

    Raises
    ------
    SetupError
        A file or a column does not exist, the format is not known, or an image is missing or broken.

    Examples
    --------
    >>> load([{"text": "One."}, {"text": "Two."}], content="text")
    Corpus(2 records)
    >>> load(["One.", "Two."])
    Corpus(2 records)
    """
    for name, column in (("content", content), ("record_id", record_id), ("cluster", cluster)):
        if column is not None:
            require_text(column, f"{name}=..., the name of a column,")
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
        images_from=images_from,
        local_only=local_only,
    )
    if isinstance(source, str) and loaders.remote_files.is_remote(source):
        with loaders.remote_files.download(source) as path:
            corpus = load(path, on_error=on_error, **mapping, **format_options)
        return corpus.with_provenance(address=loaders.remote_files.display_address(source))
    reader = _reader_for(source)
    parameters = inspect.signature(reader).parameters
    reader_options = [name for name in parameters if name not in ("path", "frame", "items", "mapping")]
    for name in format_options:
        if name not in reader_options:
            suggestion = nearest(name, [*reader_options, *MappingOptions.__annotations__])
            kind = Path(source).suffix if isinstance(source, str | Path) and Path(source).suffix else "this source"
            raise SetupError(f"{kind} has no option `{name}`; {suggestion}")
    return reader(source, on_error=on_error, **mapping, **format_options)


_READERS: dict[str, Callable[..., Corpus]] = {
    ".csv": Corpus.from_csv,
    ".tsv": Corpus.from_csv,
    ".tab": Corpus.from_csv,
    ".xlsx": Corpus.from_xlsx,
    ".jsonl": Corpus.from_jsonl,
    ".ndjson": Corpus.from_jsonl,
    ".json": Corpus.from_json,
    ".parquet": Corpus.from_parquet,
    ".vtt": Corpus.from_subtitles,
    ".srt": Corpus.from_subtitles,
    ".zip": Corpus.from_zip,
}


ENDINGS = frozenset(_READERS)
"""The endings of files that can be loaded."""


def _reader_for(source: Any) -> Callable[..., Corpus]:
    if source is None or isinstance(source, bytes) or not (isinstance(source, str | Path | Iterable)):
        raise SetupError(f"{source!r:.40} is not a corpus: give a path, a dataframe, or a list of dictionaries.")
    if not isinstance(source, str | Path):
        return Corpus.from_dataframe if hasattr(source, "itertuples") else Corpus.from_records
    path = loaders.existing_path(source)
    if path.is_dir():
        return Corpus.from_folder
    ending = path.suffix.lower()
    if ending not in _READERS:
        raise SetupError(
            f"`{path.name}`: there is no loader for `{ending}`; you can load {', '.join(_READERS)} and folders."
        )
    return _READERS[ending]
