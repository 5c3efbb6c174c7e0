"""Rich Text Format: `.rtf`. Its text, without marks for headings, because the format has none."""

from __future__ import annotations

from ....errors import SetupError
from .document import Document, import_parser, tidy


def read(data: bytes, name: str) -> Document:
    r"""Read a file of Rich Text Format.

    Raises
    ------
    SetupError
        It is no such file, is damaged, or striprtf is not installed.

    Examples
    --------
    >>> read(rb"{\rtf1\ansi One caf\'e9.\par Two.}", "talk.rtf").text
    'One café.\nTwo.'
    """
    if not data.lstrip()[:5].startswith(b"{\\rtf"):
        raise SetupError(f"`{name}` cannot be read as RTF: it does not begin with {{\\rtf.")
    striprtf, parser = import_parser("striprtf.striprtf", "striprtf", name)
    try:
        text = striprtf.rtf_to_text(data.decode("latin-1"), errors="replace")
    except (ValueError, LookupError, IndexError, KeyError, RecursionError) as error:
        raise SetupError(f"`{name}` cannot be read as RTF: {error or type(error).__name__}.") from error
    remarks = (
        [] if data.rstrip(b"\0 \r\n\t").endswith(b"}") else [f"`{name}` may be cut off: its last bracket is missing."]
    )
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # RTF writes an emoji as two halves
    return Document(tidy(text), {}, parser, (), remarks)
