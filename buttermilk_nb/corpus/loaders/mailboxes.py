"""Mailboxes: `.mbox`. Each message is a record."""

from __future__ import annotations

import email
import mailbox
from email.policy import default
from pathlib import Path

from ...errors import SetupError
from .documents.email_message import message_document
from .source import Source, SourceRow, existing_path, file_facts

_MAX_REMARKS = 3


def read(path: str | Path) -> Source:
    """Read a mailbox, such as Thunderbird and Google Takeout write it. A message without a text is rejected.

    Raises
    ------
    SetupError
        The file does not exist, or has no message.
    """
    file = existing_path(path)
    with file.open("rb") as handle:
        if not handle.read(5) == b"From ":
            raise SetupError(f"`{file.name}` cannot be read as a mailbox: it does not begin with `From `.")
    rows: list[SourceRow] = []
    remarks: list[str] = []
    box = mailbox.mbox(file, create=False)
    try:
        width = len(str(len(box)))
        for number, key in enumerate(box.iterkeys(), 1):
            name = f"{file.stem}-{number:0{width}}"
            try:
                document = message_document(email.message_from_bytes(box.get_bytes(key), policy=default), name)
            except SetupError as error:
                rows.append(SourceRow(number, {"name": name}, error.problems[0].rstrip(".")))
                continue
            remarks += document.remarks
            rows.append(SourceRow(number, {"name": name, "text": document.text, **document.metadata}))
    finally:
        box.close()
    if len(remarks) > _MAX_REMARKS:
        more = f"... and {len(remarks) - _MAX_REMARKS:,} more messages with attachments."
        remarks = [*remarks[:_MAX_REMARKS], more]
    return Source(rows, file_facts(file), "text", "name", folder=file.parent, remarks=tuple(remarks), unit="message")
