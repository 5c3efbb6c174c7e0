"""One small study, coded by two people, and its codes as they come from each program."""

from __future__ import annotations

import json

import buttermilk_nb as bm

TEXTS = {
    "a": "They 😀 are vermin.\nWe fear them | and [hate] it_all; 100 *.",
    "b": "A calm text, \\ with a backslash.",
    "c": "Nothing here.\r\nNothing at all.",
}
CRITERIA = bm.Criteria(
    "tone",
    "Read the text.",
    criteria={
        "insult": {"question": "Does it insult?"},
        "emotion": {"question": "Which emotions?", "scale": "labels: fear | anger"},
        "heat": {"question": "How heated?", "scale": "1-5"},
    },
)
CODES = {
    ("a", "ana", "insult"): ("yes", ["vermin"]),
    ("a", "ana", "emotion"): ('["anger", "fear"]', ["fear: fear", "anger: [hate] it_all"]),
    ("a", "ben", "insult"): ("yes", ["They 😀 are vermin."]),
    ("b", "ana", "heat"): ("2", ["calm text"]),
}
"""What both people marked: the answer and the passages, by record, coder and question."""
MARKS = [
    ("a", "ana", ("insult",), None, "vermin"),
    ("a", "ana", ("emotion", "fear"), None, "fear"),
    ("a", "ana", ("emotion", "anger"), None, "[hate] it_all"),
    ("a", "ben", ("insult",), None, "They 😀 are vermin."),
    ("b", "ana", ("heat", "2"), None, "calm text"),
]
"""The same as marks: the record, the coder, the names of the code, and the words."""


def corpus() -> bm.Corpus:
    return bm.Corpus([bm.Record(record_id=name, content=text) for name, text in TEXTS.items()])


def place(record_id: str, words: str) -> tuple[int, int]:
    start = TEXTS[record_id].index(words)
    return start, start + len(words)


def utf_16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def place_in_utf_16(record_id: str, words: str) -> tuple[int, int]:
    text = TEXTS[record_id]
    start, end = place(record_id, words)
    return utf_16(text[:start]), utf_16(text[:end])


def stored_codes() -> dict[tuple[str, str, str], tuple[str, list[str]]]:
    """The answers in the open project with the words of their passages; of several labels, that of each passage."""
    labels = bm.labels().set_index(["record_id", "coder", "criterion"]).category
    found: dict[tuple[str, str, str], tuple[str, list[str]]] = {}
    for row in bm.highlights().itertuples():
        key = (row.record_id, row.coder, row.criterion)
        texts = found.setdefault(key, (labels[key], []))[1]
        if isinstance(row.text, str):
            texts.append(row.text if row.category == labels[key] else f"{json.loads(row.category)[0]}: {row.text}")
            assert TEXTS[row.record_id][row.start : row.end] == row.text
    return found
