"""Subtitles and transcripts with times: `.vtt` (WebVTT) and `.srt` (SubRip).

A cue is one piece of text with its start and its end. A turn is what one speaker says until another speaks. Speakers
are read from WebVTT's `<v Name>`, or from the beginnings of lines such as `ANA: Good morning.` if a
name begins two cues.
"""

from __future__ import annotations

import html
import io
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from ...errors import SetupError
from ..text_parts import is_speaker
from .documents.document import Document
from .encodings import decode
from .source import Source, SourceRow, existing_path, file_facts

SubtitlePart = Literal["document", "turn", "cue"]
_MEDIA = (".mp4", ".webm", ".mkv", ".mov", ".m4v", ".mp3", ".wav", ".m4a", ".ogg", ".opus", ".flac", ".aac")
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]+)>")
_TAG = re.compile(r"</?[^<>]{1,200}>")
_NAME = re.compile(r"(?:[-–>]+\s*)?([^\W\d_][\w .'’-]{0,39}):\s+(?=\S)")  # a typographic apostrophe


class Turn(NamedTuple):
    """A text with its speaker (empty if unknown), its start and its end, in seconds."""

    speaker: str
    text: str
    start_s: float
    end_s: float


def read(
    path: str | Path,
    *,
    by: SubtitlePart = "document",
    media: str | None = None,
    encoding: str | None = None,
    speakers: Mapping[str, str] | None = None,
) -> Source:
    """Read a file of subtitles.

    Parameters
    ----------
    path
        The file.
    by
        What becomes a record: the whole `document`, each `turn` of a speaker, or each `cue`.
    media
        The address or path of the recording; by default a file beside with the same name and the ending of one.
    encoding
        The encoding; by default it is detected.
    speakers
        Other names for the speakers, `{"Ana Roth": "P1"}`. Names inside the texts stay.

    Raises
    ------
    SetupError
        The file does not exist, or is no file of subtitles.
    """
    file = existing_path(path)
    if by not in get_args(SubtitlePart):
        parts = get_args(SubtitlePart)
        raise SetupError(f"by={by!r}: write one of {', '.join(parts)}.")
    cues, encoding, remarks = _read_cues(file.read_bytes(), file.name, encoding, speakers or ())
    cues = [cue._replace(speaker=(speakers or {}).get(cue.speaker, cue.speaker)) for cue in cues]
    recording = media or _recording_beside(file)
    turns = cues if by == "cue" else _turns(cues)
    if by == "document":
        rows = [_document_row(file.stem, turns, recording)]
    else:
        rows = list(_rows(file.stem, turns, recording))
    description = {**file_facts(file), "encoding": encoding, "cues": len(cues), "by": by}
    return Source(rows, description, "text", "name", folder=file.parent, remarks=tuple(remarks))


def read_document(data: bytes, name: str, *, encoding: str | None = None) -> Document:
    """Read a file of subtitles as one document, for folders and zips.

    Raises
    ------
    SetupError
        It is no file of subtitles.
    """
    cues, _, remarks = _read_cues(data, name, encoding)
    fields = _document_row("", _turns(cues), None).fields
    return Document(fields["text"], {key: fields[key] for key in fields.keys() - {"name", "text"}}, "", (), remarks)


def _read_cues(
    data: bytes, name: str, encoding: str | None, speakers: Collection[str] = ()
) -> tuple[list[Turn], str, tuple[str, ...]]:
    """The cues with their speakers, the encoding, and what was guessed."""
    text, encoding, remarks = decode(data, encoding, name)
    cues, names, single_names = _with_speakers(parse_cues(text, name), speakers)
    if names:
        remarks = (*remarks, f"`{name}`: speakers were read from the beginnings of lines: {', '.join(names)}.")
    if single_names and (names or len(single_names) > 1):
        listed = ", ".join(f"`{single}:`" for single in single_names)
        first = single_names[0]
        remarks = (
            *remarks,
            f"`{name}`: {listed} begins one line only, so these lines have no speaker; "
            f"speakers={{{first!r}: {first!r}}} takes such a name for one.",
        )
    return cues, encoding, remarks


def parse_cues(text: str, name: str) -> list[Turn]:
    r"""The cues in the text of a file, each with the speakers that WebVTT names.

    Parameters
    ----------
    text
        The text of the file.
    name
        Its name, for messages; its ending says which form it has.

    Raises
    ------
    SetupError
        It is no such file, or has no cues.

    Examples
    --------
    >>> parse_cues("WEBVTT\n\n00:01.000 --> 00:02.500\n<v Ana>Good <i>morning</i>.</v>\n", "talk.vtt")
    [Turn(speaker='Ana', text='Good morning.', start_s=1.0, end_s=2.5)]
    """
    from webvtt import WebVTT
    from webvtt.errors import MalformedCaptionError, MalformedFileError

    is_srt = name.lower().endswith(".srt")
    try:
        captions = list(WebVTT.from_buffer(io.StringIO(text.lstrip("\ufeff")), format="srt" if is_srt else "vtt"))
    except (MalformedCaptionError, MalformedFileError, ValueError, IndexError) as error:
        reason = str(error).rstrip(".") or "it is damaged"
        raise SetupError(f"`{name}` cannot be read as {'SubRip' if is_srt else 'WebVTT'}: {reason}.") from error
    cues = [turn for caption in captions for turn in _cue_turns(caption.raw_text, caption.start, caption.end)]
    if not cues:
        raise SetupError(f"`{name}` has no cues with a text.")
    return cues


def _cue_turns(raw_text: str, start: str, end: str) -> Iterator[Turn]:
    """The turns in one cue: one for each voice that it names."""
    pieces = _VOICE.split(raw_text)  # text before the first voice, then a name and its text in turn
    for speaker, piece in [("", pieces[0]), *zip(pieces[1::2], pieces[2::2], strict=True)]:
        text = " ".join(html.unescape(_TAG.sub("", piece)).split())
        if text:
            yield Turn(html.unescape(speaker).strip(), text, _seconds(start), _seconds(end))


def _seconds(time: str) -> float:
    """The seconds of a time as webvtt writes it: `01:02:03.400`."""
    hours, minutes, seconds = time.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def _with_speakers(cues: Sequence[Turn], speakers: Collection[str] = ()) -> tuple[list[Turn], list[str], list[str]]:
    """The cues with the speakers at the beginnings of their texts; their names, and names that begin one cue only."""
    if any(cue.speaker for cue in cues):
        return list(cues), [], []
    matches = [_NAME.match(cue.text) for cue in cues]
    counts = Counter(match[1] for match in matches if match)
    names = [name for name, n in counts.items() if is_speaker(name, n, speakers)]
    named = [
        cue._replace(speaker=match[1], text=cue.text[match.end() :]) if match and match[1] in names else cue
        for cue, match in zip(cues, matches, strict=True)
    ]
    single_names = [name for name in counts if name not in names]
    return _continue_speakers(named) if names else named, names, single_names


def _continue_speakers(cues: Sequence[Turn]) -> list[Turn]:
    """A cue without a name goes on with the speaker before it; not one that begins like that of another speaker."""
    speaker, continued = "", []
    for cue in cues:
        begins_anew = not cue.speaker and _NAME.match(cue.text)
        speaker = "" if begins_anew else cue.speaker or speaker
        continued.append(cue._replace(speaker=speaker))
    return continued


def _turns(cues: Sequence[Turn]) -> list[Turn]:
    """The cues, those of one speaker in a row joined. Without speakers, each cue stays as it is."""
    turns: list[Turn] = []
    for cue in cues:
        if turns and cue.speaker and cue.speaker == turns[-1].speaker:
            turns[-1] = turns[-1]._replace(text=f"{turns[-1].text} {cue.text}", end_s=cue.end_s)
        else:
            turns.append(cue)
    return turns


def _document_row(stem: str, turns: Sequence[Turn], media: str | None) -> SourceRow:
    lines = [f"{turn.speaker}: {turn.text}" if turn.speaker else turn.text for turn in turns]
    start, end = turns[0].start_s, max(turn.end_s for turn in turns)
    speakers = list(dict.fromkeys(turn.speaker for turn in turns if turn.speaker))
    fields: dict[str, Any] = {"name": stem, "text": "\n".join(lines), "start_s": start, "end_s": end}
    fields |= {"speakers": speakers} if speakers else {}
    return SourceRow(1, fields | ({"media": media} if media else {}))


def _rows(stem: str, turns: Sequence[Turn], media: str | None) -> Iterator[SourceRow]:
    width = len(str(len(turns)))
    for n, turn in enumerate(turns, 1):
        fields: dict[str, Any] = {"name": f"{stem}-{n:0{width}}", "text": turn.text, "transcript": stem}
        fields |= {"speaker": turn.speaker} if turn.speaker else {}
        fields |= {"start_s": turn.start_s, "end_s": turn.end_s}
        yield SourceRow(n, fields | ({"media": f"{media}#t={turn.start_s:g},{turn.end_s:g}"} if media else {}))


def _recording_beside(file: Path) -> str | None:
    """The name of a recording with the same name as the file."""
    return next((file.stem + ending for ending in _MEDIA if (file.parent / f"{file.stem}{ending}").is_file()), None)
