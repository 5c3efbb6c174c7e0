"""Exports of social media and libraries, recognised by their columns: which field is the text, which is the id.

Nothing is recognised silently: what a file seems to be is a remark, with the line that reads it otherwise. Posts that
were deleted are rejected with this reason. A new export is one entry in the table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from ...errors import SetupError
from .documents.html_text import html_text
from .dotted_names import get_field
from .source import Source, SourceRow

_TAG = re.compile(r"</?(?:jats:)?[a-z]+[^<>]*>")
_DELETED = frozenset({"[deleted]", "[removed]", "[ removed by reddit ]", "[deleted by user]", "[unavailable]"})


class KnownExport(NamedTuple):
    """One kind of export.

    Parameters
    ----------
    title
        What messages call it.
    columns
        The columns that such a file has.
    content
        The field with the text.
    record_id
        The field with the id.
    cluster
        The field with the author or thread, for the remark.
    make_text
        What makes the text of a row, where it is not the field as it is; it takes the place of the field.
    unit, missing
        What messages call a row, and what it lacks if it has no text.
    """

    title: str
    columns: frozenset[str]
    content: str
    record_id: str
    cluster: str = ""
    make_text: Callable[[Mapping[str, Any]], str] | None = None
    unit: str = "post"
    missing: str = "text"


def _columns(names: str) -> frozenset[str]:
    return frozenset(names.split())


def _reddit_text(fields: Mapping[str, Any]) -> str:
    """The title and the text of a post; only the mark of a post that was deleted."""
    text = str(fields.get("selftext") or "").strip()
    return text if _is_deleted(text) else "\n\n".join(filter(None, [str(fields.get("title") or "").strip(), text]))


def _telegram_text(fields: Mapping[str, Any]) -> str:
    """The text of a message, which is a list where parts of it are links or in bold."""
    parts = fields.get("text") or ""
    parts = [parts] if isinstance(parts, str) else parts
    return "".join(part if isinstance(part, str) else str(part.get("text", "")) for part in parts)


def _mastodon_text(fields: Mapping[str, Any]) -> str:
    return html_text(str(fields.get("content") or ""), "the posts of Mastodon")


def _abstract(fields: Mapping[str, Any]) -> str:
    """The abstract, without the tags that publishers write into it."""
    text = str(fields.get("abstract") or "")
    return html_text(text, "the abstracts") if _TAG.search(text) else text


def _is_deleted(text: str) -> bool:
    return text.casefold() in _DELETED


KNOWN_EXPORTS: dict[str, KnownExport] = {
    "reddit_comments": KnownExport("comments on Reddit", _columns("body subreddit link_id"), "body", "id", "link_id"),
    "reddit_posts": KnownExport(
        "posts on Reddit", _columns("title selftext subreddit"), "selftext", "id", "author", _reddit_text
    ),
    "x_archive": KnownExport("an archive of X (Twitter)", _columns("tweet"), "tweet.full_text", "tweet.id_str"),
    "x_v1": KnownExport(
        "posts on X (Twitter), version 1.1", _columns("id_str full_text user"), "full_text", "id_str", "user.id_str"
    ),
    "x": KnownExport("posts on X (Twitter)", _columns("id text author_id created_at"), "text", "id", "author_id"),
    "bluesky": KnownExport("posts on Bluesky", _columns("uri cid record"), "record.text", "uri", "author.did"),
    "mastodon": KnownExport(
        "posts on Mastodon",
        _columns("id uri visibility content account"),
        "content",
        "id",
        "account.acct",
        _mastodon_text,
    ),
    "telegram": KnownExport(
        "an export of Telegram", _columns("id type date text date_unixtime"), "text", "id", "from_id", _telegram_text
    ),
    "4cat": KnownExport("a dataset of 4CAT", _columns("id thread_id timestamp body"), "body", "id", "thread_id"),
    "zotero": KnownExport(
        "a library of Zotero (CSL JSON)",
        _columns("id type title issued abstract"),
        "abstract",
        "id",
        make_text=_abstract,
        unit="reference",
        missing="abstract",
    ),
}


def apply_known_export(source: Source, kind: str | None, file_name: str) -> Source:
    """The source with the text, the id and the deleted posts of the export that it is.

    Parameters
    ----------
    source
        The source.
    kind
        The export that it is; None to recognise it, "table" if it is none.
    file_name
        The name of the file, for messages.

    Raises
    ------
    SetupError
        The file does not have its columns.
    """
    if kind == "table" or (kind is None and source.default_content):
        return source
    if kind is None:
        kind = next((name for name, known in KNOWN_EXPORTS.items() if known.columns <= set(source.columns)), None)
        return source if kind is None else _applied(source, KNOWN_EXPORTS[kind], file_name, is_guess=True)
    if missing := sorted(KNOWN_EXPORTS[kind].columns - set(source.columns)):
        raise SetupError(f"`{file_name}` is not {KNOWN_EXPORTS[kind].title}: it has no column `{missing[0]}`.")
    return _applied(source, KNOWN_EXPORTS[kind], file_name, is_guess=False)


def _applied(source: Source, known: KnownExport, file_name: str, *, is_guess: bool) -> Source:
    remarks = source.remarks
    if is_guess:
        cluster = f' Posts of one `{known.cluster}` are not independent; cluster="{known.cluster}" says so.'
        remarks = (
            *remarks,
            f"`{file_name}` seems to be {known.title}: the text is `{known.content}`, the id is `{known.record_id}`. "
            f'For something else, write as_="table" and `content`.{cluster if known.cluster else ""}',
        )
    facts = {**source.description, "read_as": known.title}
    return replace(
        source.map_rows(lambda row: _row(row, known)),
        description=facts,
        default_content=known.content,
        default_id=known.record_id,
        remarks=remarks,
    )


def _row(row: SourceRow, known: KnownExport) -> SourceRow:
    """The row with its text; with a problem if the post was deleted or has no text."""
    if row.problem:
        return row
    if known.make_text:
        row = row._replace(fields={**row.fields, known.content: known.make_text(row.fields)})
    text = str(get_field(row.fields, known.content) or "").strip()
    if _is_deleted(text):
        return row._replace(problem=f"the {known.unit} was deleted or removed")
    return row if text else row._replace(problem=f"the {known.unit} has no {known.missing}")
