"""Match ids with those of a corpus, where a program has rewritten all of them in one way."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Mapping
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
    for rule, forms in _RULES.items():
        by_form: dict[str, list[str]] = {}
        for name in known:
            by_form.setdefault(forms(name), []).append(name)
        matches = {name: by_form.get(forms(name), []) for name in sorted(unknown)}
        if matches and all(len(names) == 1 for names in matches.values()):
            return IdMatch(rule, {name: names[0] for name, names in matches.items()})
    return None


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
