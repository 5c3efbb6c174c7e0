"""XML, parsed safely: no entities of its own, no network, no bombs."""

from __future__ import annotations

from typing import Any

from ....errors import SetupError
from .document import import_parser


def parse_xml(data: bytes, name: str) -> Any:
    """The root of an XML document.

    Raises
    ------
    SetupError
        It is not well-formed, declares entities, or lxml is not installed.

    Examples
    --------
    >>> parse_xml(b"<a><b>One.</b></a>", "x.xml")[0].text
    'One.'
    """
    etree, _ = import_parser("lxml.etree", "lxml", name)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise SetupError(f"`{name}` cannot be read as XML: {str(error).split(', line')[0]}.") from error
    document_type = root.getroottree().docinfo.internalDTD
    if document_type is not None and any(True for _ in document_type.iterentities()):
        raise SetupError(f"`{name}` declares entities of its own, which are not read; remove them first.")
    return root


def local_name(element: Any) -> str:
    """The name of an element without its namespace; empty for comments and instructions."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""
