"""Verify the quotations in a judge's reasons against the text.

A judge that quotes words which are not in the text has invented or changed them. Every passage between quotation marks
in a reason is searched in the record. White space, kinds of quotation marks and dashes, capital letters and punctuation
at either end do not matter; if the passage has an ellipsis (`...`, `[...]`), its parts must occur in order. The result
is computed from the stored reasons and the stored text each time, so it is always the same. A reason that consists of
quotation marks would be searched for ever, so only the first passages of each reason count.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
import warnings
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
_ELLIPSIS = re.compile(r"\[\s*+(?:\.{3}|…)\s*+\]|\.{3,}+|…")
_MAX_PASSAGES = 500  # of one reason
_EDGES = " \t\n\r.,;:!?…-'\""
_VARIANTS = str.maketrans(
    {**dict.fromkeys("“”„«»‹›「」『』‟", '"'), **dict.fromkeys("‘’‚‛′`´", "'"), **dict.fromkeys("‐‑‒–—―−", "-")}
)


class Passage(NamedTuple):
    """The position of a passage in a text, in characters; the end is exclusive."""

    start: int
    end: int


class SearchableText:
    """A text in which passages are searched."""

    def __init__(self, content: str) -> None:
        self._letters, self._positions = _fold(content)

    def find(self, quote: str) -> Passage | None:
        r"""The position of a passage; None if it is not in the text.

        Examples
        --------
        >>> text = SearchableText("She said: “It is\n late – go home.”")
        >>> text.find("it is late - go home"), text.find("It ... home!"), text.find("go away")
        (Passage(start=11, end=32), Passage(start=11, end=32), None)
        """
        parts = [part for piece in _ELLIPSIS.split(quote) if (part := _fold_passage(piece))]
        start, end = None, 0
        for part in parts:
            position = self._letters.find(part, end)
            if position < 0:
                return None
            start = position if start is None else start
            end = position + len(part)
        return None if start is None else Passage(self._positions[start], self._positions[end - 1] + 1)


def quoted_passages(reason: str) -> list[str]:
    """The passages between quotation marks in a reason, at most 500.

    Examples
    --------
    >>> quoted_passages("It calls them “a swarm” and «dregs»; it's rude.")
    ['a swarm', 'dregs']
    """
    matches = itertools.islice(_QUOTED.finditer(reason), _MAX_PASSAGES)
    return [next(group for group in match.groups() if group is not None) for match in matches]


def quotes(store: Store, run_id: str) -> pd.DataFrame:
    """One row per passage that a reason quotes: whether it is in the record, and its position."""
    import pandas as pd

    reasons = store.df(
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
    for row in reasons.to_dict("records"):
        text = texts[row["record_id"], row["record_hash"]]
        shared = {str(name): value for name, value in row.items() if name not in ("reasons", "record_hash")}
        for index, reason in enumerate(row["reasons"]):
            passages = quoted_passages(str(reason))
            if len(passages) == _MAX_PASSAGES:
                warnings.warn(
                    f"a reason about record `{row['record_id']}` has {_MAX_PASSAGES} quotations or more; only the "
                    "first are listed.",
                    stacklevel=3,
                )
            for quote in passages:
                passage = text.find(quote)
                start, end = passage or (None, None)
                position = {"start": start, "end": end}
                verified = passage is not None
                rows.append({**shared, "reason_index": index, "quote": quote, "verified": verified, **position})
    columns = [*reasons.columns.drop(["reasons", "record_hash"]), "reason_index", "quote", "verified", "start", "end"]
    return pd.DataFrame(rows, columns=columns).astype({"start": "Int64", "end": "Int64", "verified": bool})


def unverified_passages(content: str, reasons: list[str]) -> dict[str, list[str]]:
    """For each reason its quotations that are not in the text."""
    text = SearchableText(content)
    return {reason: [quote for quote in quoted_passages(reason) if text.find(quote) is None] for reason in reasons}


def _fold(text: str) -> tuple[str, list[int]]:
    """A text in the form in which it is compared, and the original position of each letter.

    Letters are separated from their accents and lose their case, so that it does not matter how they were typed;
    invisible characters (soft hyphens, joiners) are left out; white space is one space.
    """
    letters: list[str] = []
    positions: list[int] = []
    for position, letter in enumerate(text.translate(_VARIANTS)):
        if unicodedata.category(letter) == "Cf" or (letter.isspace() and letters and letters[-1] == " "):
            continue
        folded = " " if letter.isspace() else unicodedata.normalize("NFD", letter.casefold())
        letters += folded
        positions += [position] * len(folded)
    return "".join(letters), positions


def _fold_passage(quote: str) -> str:
    return _fold(quote)[0].strip(_EDGES)
