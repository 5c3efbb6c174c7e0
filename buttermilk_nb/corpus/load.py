"""`load`: a corpus from a file, folder, table, list or address."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from .._internal.arguments import check_argument_names, require_text
from ..errors import SetupError, nearest
from . import loaders
from .corpus import Corpus
from .loaders import MappingOptions
from .record import Record

if TYPE_CHECKING:
    import pandas as pd


@check_argument_names
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
    as_: str | None = None,
    **format_options: Any,
) -> Corpus:
    """Load a corpus from a file, a folder, a zip, a dataframe, a list or an address.

    Parameters
    ----------
    source
        The path of a table (.csv, .tsv, .xlsx, .jsonl, .json, .parquet), of a survey (.sav, .dta, .sas7bdat,
        .xpt, .rds, .rdata), of references (.ris, .bib), of a document (.txt, .md, .docx, .odt, .rtf, .pdf,
        .html, .epub, .eml, .xml in TEI), of a transcript with times (.vtt, .srt) or of a mailbox (.mbox); a
        folder or a zip of documents and images; a pandas dataframe; or a list of dictionaries, Records or
        texts. An address (`gs://...`, `s3://...`, `https://...`) is downloaded first. If that needs another
        package, the error message names it.
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
    as_
        The export that a table is: `reddit_comments`, `reddit_posts`, `x`, `x_v1`, `x_archive`, `bluesky`, `mastodon`,
        `telegram`, `4cat`, `zotero`, `qualtrics` or `surveymonkey`, or `table` if it is none; or the press database
        of a document with many articles: `nexis`, `factiva` or `proquest`, or `document` to keep it whole. By default
        it is recognised where `content` is not given, and said.
    **format_options
        Options of the format: `encoding`; for a CSV file `delimiter`, for a workbook `sheet`, for both `header`; for
        JSON `at`, the name of the list in it; for a folder `pattern`, such as `"*.txt"`, and `follow_links`, whether
        links out of it are followed; for documents `notes` and `comments`, whether these are read; for TEI `pages`,
        `original` and `elements`; for a survey `labels` and `missing`; for saved web pages `main_text`; for
        transcripts with times `by` (`document`, `turn` or `cue`), `media`, the recording, and `speakers`, other names
        for them; for references `texts` (`abstracts` or `files`, the attached ones).

    Returns
    -------
    Corpus
        The records, and the rejected rows.

    Raises
    ------
    SetupError
        A file or a column does not exist, the format is not known, or an image is missing or broken.

    Notes
    -----
    A document becomes one record with the marks of Markdown for headings, lists, tables and notes, and a form feed
    between pages; `corpus.segment("page")`, `"heading"` or `"turn"` cuts it. A page without a text, and a file of a
    folder that cannot be read, is in `corpus.rejected`. The parser and its version are in the provenance.

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
            corpus = load(path, on_error=on_error, as_=as_, **mapping, **format_options)
        return corpus.with_provenance(address=loaders.remote_files.display_address(source))
    check_format_options(source, format_options)
    if not isinstance(source, str | Path):
        return _load_from_memory(source, mapping, on_error)
    rows = loaders.reader_for(source)(source, **format_options)
    if content is None or as_ is not None:
        rows = loaders.apply_kind(rows, as_, Path(source).name)
    return Corpus.from_source(rows, mapping, on_error)


def check_format_options(source: Any, options: Mapping[str, Any]) -> None:
    """Check that a source can be loaded and has options of these names; nothing of it is read.

    Raises
    ------
    SetupError
        It is none, an option is unknown, or the file does not exist or has no loader.
    """
    if source is None or isinstance(source, bytes) or not isinstance(source, Iterable | Path):
        raise SetupError(f"{source!r:.40} is not a corpus: give a path, a dataframe, or a list of dictionaries.")
    if isinstance(source, str) and loaders.remote_files.is_remote(source):
        return
    if isinstance(source, str | Path):
        _check_options(loaders.reader_for(source), Path(source), options)
    elif options:
        raise SetupError(f"this source has no option `{next(iter(options))}`; {_suggestion(options)}")


def _load_from_memory(source: Any, mapping: MappingOptions, on_error: str) -> Corpus:
    if hasattr(source, "itertuples"):
        return Corpus.from_source(loaders.dataframes.read_dataframe(cast("pd.DataFrame", source)), mapping, on_error)
    return Corpus.from_records(source, on_error=on_error, **mapping)


def _check_options(reader: Callable[..., Any], path: Path, options: Mapping[str, Any]) -> None:
    names = [name for name in inspect.signature(reader).parameters if name not in ("path",)]
    for name in options:
        if name not in names:
            raise SetupError(f"{path.suffix or 'this source'} has no option `{name}`; {_suggestion([name], names)}")


def _suggestion(given: Iterable[str], names: Iterable[str] = ()) -> str:
    return nearest(next(iter(given)), [*names, *MappingOptions.__annotations__])
