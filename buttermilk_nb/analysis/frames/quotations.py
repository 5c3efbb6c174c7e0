"""Whether the words that a judge quotes are in the text, and where.

A judge that rests its reasons on words that the text does not hold has made them up, or changed them. Every passage
between quotation marks in a reason is looked up in the record. White space, kinds of quotation marks and dashes,
capital letters and punctuation at either end do not matter; where the passage leaves something out (`...`, `[...]`),
its parts must follow each other. It is computed from the stored reasons and the stored text whenever it is asked for,
so that it is the same each time.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any, NamedTuple

from ...store import Store

if TYPE_CHECKING:
    import pandas as pd

_QUOTATION_MARKS = (
    ("“", "”"),
    ("„", "“"),
    ("„", "”"),
    ("«", "»"),
    ("»", "«"),
    ("「", "」"),
    ("『", "』"),
    ("‹", "›"),
    ('"', '"'),
)
_QUOTED = re.compile("|".join(f"{re.escape(a)}([^{re.escape(a + b)}]+){re.escape(b)}" for a, b in _QUOTATION_MARKS))
_ELLIPSIS = re.compile(r"\s*(?:\[\s*(?:\.{3}|…)\s*\]|\.{3,}|…)\s*")
_EDGES = " \t\n\r.,;:!?…-'\""
_VARIANTS = str.maketrans(
    {**dict.fromkeys("“”„«»‹›「」『』‟", '"'), **dict.fromkeys("‘’‚‛′`´", "'"), **dict.fromkeys("‐‑‒–—―−", "-")}
)


class Passage(NamedTuple):
    """Where a passage stands in a text, in characters; the end is exclusive."""

    start: int
    end: int


class SearchableText:
    """A text in which passages are looked up."""

    def __init__(self, content: str) -> None:
        self._letters, self._places = _fold(content)

    def find(self, quote: str) -> Passage | None:
        r"""Where a passage stands; None where it does not.

        Examples
        --------
        >>> text = SearchableText("She said: “It is\n late – go home.”")
        >>> text.find("it is late - go home"), text.find("It ... home!"), text.find("go away")
        (Passage(start=11, end=32), Passage(start=11, end=32), None)
        """
        parts = [part for piece in _ELLIPSIS.split(quote) if (part := _fold_passage(piece))]
        start, at = None, 0
        for part in parts:
            place = self._letters.find(part, at)
            if place < 0:
                return None
            start = place if start is None else start
            at = place + len(part)
        return None if start is None else Passage(self._places[start], self._places[at - 1] + 1)


def quoted_passages(reason: str) -> list[str]:
    """The passages between quotation marks in a reason.

    Examples
    --------
    >>> quoted_passages("It calls them “a swarm” and «dregs»; it's rude.")
    ['a swarm', 'dregs']
    """
    return [next(group for group in found.groups() if group is not None) for found in _QUOTED.finditer(reason)]


def quotes(store: Store, run_id: str) -> pd.DataFrame:
    """One row per passage that a reason quotes: whether the record has it, and where."""
    import pandas as pd

    said = store.df(
        """
        select s.record_id, s.record_hash, s.judge, s.model, s.replicate, s.criteria_set, s.criterion, s.reasons
        from scores s where s.run_id = ? and len(s.reasons) > 0
        order by s.record_id, s.judge, s.model, s.replicate, s.criteria_set, s.criterion""",
        [run_id],
    )
    contents = store.df(
        "select distinct record_id, record_hash, content from records r "
        "semi join cells c on c.run_id = ? and c.record_id = r.record_id and c.record_hash = r.record_hash",
        [run_id],
    )
    texts = {(name, version): SearchableText(content) for name, version, content in contents.itertuples(index=False)}
    rows: list[dict[str, Any]] = []
    for row in said.to_dict("records"):
        text = texts[row["record_id"], row["record_hash"]]
        shared = {str(name): value for name, value in row.items() if name not in ("reasons", "record_hash")}
        for index, reason in enumerate(row["reasons"]):
            for quote in quoted_passages(str(reason)):
                found = text.find(quote)
                place = {"start": found.start, "end": found.end} if found else {"start": None, "end": None}
                rows.append({**shared, "reason_index": index, "quote": quote, "verified": found is not None, **place})
    columns = [*said.columns.drop(["reasons", "record_hash"]), "reason_index", "quote", "verified", "start", "end"]
    return pd.DataFrame(rows, columns=columns).astype({"start": "Int64", "end": "Int64", "verified": bool})


def unverified_passages(content: str, reasons: list[str]) -> dict[str, list[str]]:
    """For each reason the passages that it quotes and the text does not have."""
    text = SearchableText(content)
    return {reason: [quote for quote in quoted_passages(reason) if text.find(quote) is None] for reason in reasons}


def _fold(text: str) -> tuple[str, list[int]]:
    """A text letter by letter as it is compared, and the place in it that each letter comes from.

    Letters are taken apart from their accents and without regard to case, so that it does not matter how either was
    typed; what cannot be seen (soft hyphens, joiners) is left out; white space is one space.
    """
    letters: list[str] = []
    places: list[int] = []
    for place, letter in enumerate(text.translate(_VARIANTS)):
        if unicodedata.category(letter) == "Cf" or (letter.isspace() and letters and letters[-1] == " "):
            continue
        folded = " " if letter.isspace() else unicodedata.normalize("NFD", letter.casefold())
        letters += folded
        places += [place] * len(folded)
    return "".join(letters), places


def _fold_passage(quote: str) -> str:
    return _fold(quote)[0].strip(_EDGES)
