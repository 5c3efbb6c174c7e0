"""Match ids with those of a corpus, where a program has rewritten all of them in one way."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import NamedTuple


class IdMatch(NamedTuple):
    """The ids of a corpus that unknown ids mean, and the rule in words."""

    rule: str
    known_ids: Mapping[str, str]

    @property
    def remark(self) -> str:
        """A sentence on what was done."""
        written, known = next(iter(self.known_ids.items()))
        return f"{len(self.known_ids):,} ids were read {self.rule}: `{written}` is `{known}` in the corpus."


def match_ids(unknown: Collection[str], known: Collection[str]) -> IdMatch | None:
    """The rule by which all unknown ids become known; None if no single rule does.

    Parameters
    ----------
    unknown
        Ids that the corpus has not.
    known
        The ids of the corpus.

    Examples
    --------
    >>> match_ids({"1.0", "2.0"}, ["1", "2"]).remark
    '2 ids were read without `.0`: `1.0` is `1` in the corpus.'
    >>> match_ids({"1.0", "x"}, ["1", "2"]) is None
    True
    """
    for rule, matches in _matches_by_rule(unknown, known):
        if matches and len(matches) == len(set(unknown)):
            return IdMatch(rule, matches)
    return None


def offer_rule(unknown: Collection[str], known: Collection[str]) -> str | None:
    """A sentence on a rule by which some of these ids become known, but not all; None if no rule helps.

    Examples
    --------
    >>> print(offer_rule({"1.0", "2.0", "x"}, ["1", "2"]).partition(",")[0])
    2 of 3 unknown ids are in the corpus if they are written without `.0` (`1.0` as `1`)
    """
    n = len(set(unknown))
    best = max(_matches_by_rule(unknown, known), key=lambda pair: len(pair[1]), default=None)
    if best is None or not 0 < len(best[1]) < n:
        return None
    rule, matches = best
    written, other = next(iter(matches)), min(set(unknown) - matches.keys())
    return (
        f"{len(matches):,} of {n:,} unknown ids are in the corpus if they are written {rule} (`{written}` as "
        f"`{matches[written]}`), but `{other}` is not, so none was changed. If the rule is right, write the ids so, or "
        "take the others out."
    )


def _matches_by_rule(unknown: Collection[str], known: Collection[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Each rule, with the unknown ids that it makes ids of exactly one record."""
    for rule, forms in _RULES.items():
        by_form: dict[str, list[str]] = {}
        for name in known:
            by_form.setdefault(forms(name), []).append(name)
        matches = {name: by_form.get(forms(name), []) for name in sorted(unknown)}
        yield rule, {name: names[0] for name, names in matches.items() if len(names) == 1}


def _without_zero_decimals(name: str) -> str:
    whole, _, decimals = name.partition(".")
    return whole if decimals and not decimals.strip("0") else name


def _without_leading_zeros(name: str) -> str:
    return name.lstrip("0") or name


_RULES: dict[str, Callable[[str], str]] = {
    "without `.0`": _without_zero_decimals,
    "without zeros at their beginning": _without_leading_zeros,
    "without `.0` and zeros at their beginning": lambda name: _without_leading_zeros(_without_zero_decimals(name)),
    "without regard to case": str.casefold,
    "in another form of Unicode": lambda name: unicodedata.normalize("NFC", name),
}
