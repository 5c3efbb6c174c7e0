r"""WebAnno TSV 3, of WebAnno and INCEpTION: one line per token, one column per feature. It is read and written.

Several annotations at one token are separated by `|`; those of several tokens have a number, `value[2]`. Places count
in UTF-16. A backslash is written before the signs `[ ] | _ ; * \` and in `->`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import PurePosixPath
from typing import NamedTuple

from ...corpus.loaders.encodings import decode
from .annotation_layers import ANSWER, CRITERION, LAYER, NOTE, PASSAGE, SCOPE, WHOLE_TEXT, has_codes, layer_codes
from .coded_file import CodedFile
from .coded_text import Code, CodedText, Utf16Offsets, convert_places
from .file_set import FileSet
from .uima_cas import text_and_coder

_FORMAT = "#FORMAT=WebAnno TSV 3"
_TEXT = "#Text="
_LAYER_KINDS = ("#T_SP=", "#T_CH=", "#T_RL=")
_TOKEN = re.compile(r"\d+-\d+(?:\.\d+)?\t(\d+)-(\d+)\t")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_LETTERS = {"t": "\t", "n": "\n", "r": "\r"}
_NEEDS_ESCAPE = re.compile(r"[\\\[\]|_;*\t\n\r]|->")
_WORDS = re.compile(r"\w+|[^\w\s]")
_FEATURES = (CRITERION, ANSWER, SCOPE, NOTE)


class _Layer(NamedTuple):
    """A layer of the header: its name, its features, and whether its annotations are passages."""

    name: str
    features: tuple[str, ...]
    is_span: bool


def recognises(_: str, head: bytes) -> bool:
    """Whether a file is WebAnno TSV, version 3."""
    return head.removeprefix(b"\xef\xbb\xbf").startswith(_FORMAT.encode())


def read(files: FileSet, name: str) -> CodedFile:
    """Read the annotations of one text by one person."""
    path = PurePosixPath(name)
    layers: list[_Layer] = []
    sentences: list[tuple[int, str]] = []
    lines_of_text: list[str] = []
    places: dict[tuple[int, str], tuple[int, int]] = {}
    values: dict[tuple[int, str], dict[str, str]] = {}
    for number, line in enumerate(decode(files.read(name) or b"", None, path.name).text.split("\n")):
        line = line.removesuffix("\r")
        if line.startswith(_LAYER_KINDS):
            layers.append(_header(line))
        elif line.startswith(_TEXT):
            lines_of_text.append(_unescape(line.removeprefix(_TEXT)))
        elif match := _TOKEN.match(line):
            start, end = int(match[1]), int(match[2])
            if lines_of_text:
                sentences.append((start, "\n".join(lines_of_text)))
                lines_of_text = []
            for key, feature, value in _annotations(line.split("\t")[3:], layers, number):
                first, last = places.get(key, (start, end))
                places[key] = (min(first, start), max(last, end))
                values.setdefault(key, {})
                if value is not None:
                    values[key][feature] = value
    codes = [
        code
        for key, (start, end) in places.items()
        for code in layer_codes(layers[key[0]].name, values[key], start, end)
    ]
    text = _joined(sentences)
    names, coder = text_and_coder(path)
    return CodedFile((CodedText(path.name, names, coder, convert_places(codes, text), text),))


def _header(line: str) -> _Layer:
    kind, _, rest = line.partition("=")
    name, *features = rest.rstrip().split("|")
    return _Layer(name, tuple(features) or ("",), kind == "#T_SP")


def _annotations(
    cells: Sequence[str], layers: Sequence[_Layer], line: int
) -> Iterator[tuple[tuple[int, str], str, str | None]]:
    """The annotations at a token: their layer and number, a feature, and its value."""
    column = 0
    for n, layer in enumerate(layers):
        columns = cells[column : column + len(layer.features)]
        column += len(layer.features)
        if not (layer.is_span and has_codes(layer.name)):
            continue
        for feature, cell in zip(layer.features, columns, strict=False):
            if cell in ("", "_"):
                continue
            for i, item in enumerate(_split(cell, "|")):
                raw, number = _without_number(item)
                key = (n, f"[{number}]" if number else f"{line}.{i}")
                yield key, feature, None if raw in ("*", "_") else _unescape(raw)


def _split(text: str, sign: str) -> list[str]:
    """The parts of a text between those signs that have no backslash before them."""
    parts, part, is_escaped = [], "", False
    for letter in text:
        if letter == sign and not is_escaped:
            parts.append(part)
            part = ""
            continue
        part += letter
        is_escaped = letter == "\\" and not is_escaped
    return [*parts, part]


def _without_number(item: str) -> tuple[str, str | None]:
    """A value, and the number of its annotation: `value[2]`."""
    value, *rest = _split(item, "[")
    return (
        (value, rest[0][:-1]) if len(rest) == 1 and rest[0][:-1].isdecimal() and rest[0].endswith("]") else (item, None)
    )


def _unescape(text: str) -> str:
    return _ESCAPED.sub(lambda match: _LETTERS.get(match[1], match[1]), text)


def _escape(text: str) -> str:
    def escaped(match: re.Match[str]) -> str:
        letters = {sign: letter for letter, sign in _LETTERS.items()}
        return f"\\{letters.get(match[0], match[0])}"

    return _NEEDS_ESCAPE.sub(escaped, text)


def _joined(sentences: Sequence[tuple[int, str]]) -> str:
    """The text: each sentence at its place (in UTF-16), with line breaks between them."""
    text, length = "", 0
    for start, sentence in sentences:
        text += "\n" * (start - length) + sentence
        length = max(start, length) + len(sentence.encode("utf-16-le", "surrogatepass")) // 2
    return text


def write(coded: CodedText, text: str) -> str:
    """The codes of one text by one person as WebAnno TSV 3.3, with one layer, `webanno.custom.Code`.

    A sentence is a line of the text. A code of the whole text is one annotation over all of it.

    Parameters
    ----------
    coded
        The codes; each names a criterion and an answer.
    text
        The text.
    """
    offsets = Utf16Offsets(text)
    spans = [(*_place(code, text), code) for code in coded.codes]
    cuts = sorted({place for start, end, _ in spans for place in (start, end)})
    lines = [f"{_FORMAT}.3", f"#T_SP={LAYER}|{'|'.join(_FEATURES)}", ""]
    for n, sentence in enumerate(re.finditer(r"[^\n]*\S[^\n]*", text), 1):
        tokens = list(_tokens(text, sentence.start(), sentence.end(), cuts))
        lines += ["", f"{_TEXT}{_escape_line(text[tokens[0][0] : sentence.end()])}"]
        for i, (start, end) in enumerate(tokens, 1):
            here = [
                (number, code) for number, (first, last, code) in enumerate(spans, 1) if first <= start and end <= last
            ]
            cells = [_cell(feature, here) for feature in _FEATURES]
            place = f"{offsets.from_characters(start)}-{offsets.from_characters(end)}"
            lines.append("\t".join([f"{n}-{i}", place, _escape(text[start:end]), *cells, ""]))
    return "\n".join([*lines, ""])


def _escape_line(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\r", "\\r")


def _place(code: Code, text: str) -> tuple[int, int]:
    return (0, len(text)) if code.start is None or code.end is None else (code.start, code.end)


def _tokens(text: str, start: int, end: int, cuts: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Words and signs, cut where a passage begins or ends inside one."""
    for word in _WORDS.finditer(text, start, end):
        places = [word.start(), *(cut for cut in cuts if word.start() < cut < word.end()), word.end()]
        yield from pairwise(places)


def _cell(feature: str, here: Sequence[tuple[int, Code]]) -> str:
    """One feature of all annotations at a token."""
    values = []
    for number, code in here:
        scope = WHOLE_TEXT if code.start is None else PASSAGE
        value = {CRITERION: code.path[-1], ANSWER: code.answer, SCOPE: scope, NOTE: code.notes}[feature]
        values.append(f"{'*' if value in (None, '') else _escape(str(value))}[{number}]")
    return "|".join(values) or "_"
