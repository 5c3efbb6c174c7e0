"""E-mails: `.eml`. The text of the message, with sender, receivers, subject and time; attachments are named."""

from __future__ import annotations

import email
from email.message import EmailMessage
from email.policy import default
from email.utils import parsedate_to_datetime
from typing import Any

from ...._internal.markdown import code_list
from ....errors import SetupError
from .document import Document, plain_facts, tidy
from .html_text import html_text


def read(data: bytes, name: str) -> Document:
    r"""Read a message.

    Raises
    ------
    SetupError
        It has no headers or no text.

    Examples
    --------
    >>> read(b"From: Ana <ana@example.org>\nSubject: Harbour\n\nIt was closed.\n", "a.eml").metadata
    {'subject': 'Harbour', 'sender': 'Ana <ana@example.org>'}
    """
    message = email.message_from_bytes(data, policy=default)
    if not message.keys() or not any(message.get(key) for key in ("from", "date", "subject", "to")):
        raise SetupError(f"`{name}` cannot be read as an e-mail: it has no headers.")
    return message_document(message, name)


def message_document(message: EmailMessage, name: str) -> Document:
    """The document of a message.

    Raises
    ------
    SetupError
        It has no text.
    """
    text = tidy(_body(message, name))
    if not text:
        raise SetupError(f"`{name}` has no text.")
    attachments = [part.get_filename() or part.get_content_type() for part in message.iter_attachments()]
    remarks = [f"`{name}`: the attachments {code_list(attachments)} were left out."] if attachments else []
    metadata = plain_facts(
        subject=_header(message, "subject"), sender=_header(message, "from"), to=_header(message, "to"),
        sent_at=_sent_at(message), message_id=_header(message, "message-id"),
        in_reply_to=_header(message, "in-reply-to"), attachments=attachments,
    )  # fmt: skip
    return Document(text, metadata, "", (), remarks)


def _body(message: EmailMessage, name: str) -> str:
    part = message.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    try:
        content = part.get_content()
    except (LookupError, ValueError):  # an encoding that does not exist
        content = (part.get_payload(decode=True) or b"").decode("utf-8", "replace")  # type: ignore[union-attr]
    return html_text(content, name) if part.get_content_subtype() == "html" else content


def _header(message: EmailMessage, key: str) -> str | None:
    try:
        value = message.get(key)
    except (ValueError, IndexError, AttributeError):  # the standard library fails on some broken addresses
        return None
    return None if value is None else " ".join(str(value).split())


def _sent_at(message: EmailMessage) -> Any:
    value = _header(message, "date")
    try:
        return parsedate_to_datetime(value) if value else None
    except (ValueError, TypeError):
        return value
