"""`Redaction`: replace names and numbers in messages by placeholders before they are sent.

Placeholders are numbered within one request (`[person 1]`). So equal names stay recognisable as equal, and the same
request is always redacted in the same way, which the cache needs. The finished messages are redacted, not the record,
so a name that an earlier step quoted does not leave this machine either. The original texts are stored here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property

import regex

from ..._internal.arguments import check_argument_names
from ..._internal.ids import canonical, digest
from ..._internal.patterns import compile_pattern
from ...errors import SetupError, nearest
from .redaction_patterns import READY_MADE, READY_MADE_PATTERNS, ReadyMadePattern

Finder = Callable[[str], Iterable[str]]
_PATTERN_TIMEOUT_S = 5.0  # a pattern that takes longer on one text may never end


class Redaction:
    r"""A policy of what to redact in texts for a remote provider.

    Parameters
    ----------
    patterns
        A regular expression for each kind of text: `{"place": r"Lowtown|Tarn Street"}`. `ready-made` in its place means
        the pattern of this package: `email`, `web`, `handle`, `iban`, `card`, `national_id` (by the check digits of ten
        countries) or `phone`. A list of these names is enough. No pattern is a guarantee: look at what was redacted.
    find
        A function that returns more strings to redact in a text.
    version
        The version of that function; by default the hash of its source code.

    Raises
    ------
    SetupError
        A pattern is not a regular expression, or there is no ready-made one of that name.

    Examples
    --------
    >>> policy = Redaction({"phone": r"\b\d{4} \d{3} \d{3}\b"})
    >>> policy.apply(["Call 0400 123 456, or 0400 999 999, or 0400 123 456."])
    (['Call [phone 1], or [phone 2], or [phone 1].'], {'[phone 1]': '0400 123 456', '[phone 2]': '0400 999 999'})
    >>> Redaction(["email", "iban"]).apply(["Write to ana@example.org, account DE89 3704 0044 0532 0130 00."])[0]
    ['Write to [email 1], account [iban 1].']
    """

    @check_argument_names
    def __init__(
        self,
        patterns: Mapping[str, str] | Sequence[str] | None = None,
        *,
        find: Finder | None = None,
        version: str | None = None,
    ) -> None:
        if isinstance(patterns, list | tuple):
            patterns = {str(name): READY_MADE for name in patterns}
        if patterns is not None and not isinstance(patterns, Mapping):
            raise SetupError(
                'a redaction takes a list of ready-made patterns, such as ["email"], or patterns by name, such as '
                '{"name": "Ann|Bob"}, not ' + f"{type(patterns).__name__}."
            )
        own = patterns or {}
        ready = {name: _ready_made(name) for name, text in own.items() if text == READY_MADE}
        self.patterns = {name: ready[name].pattern if name in ready else text for name, text in own.items()}
        self._checks = {name: pattern.is_right for name, pattern in ready.items()}
        self.find = find
        self._version = version
        checked_first = sorted(self.patterns, key=lambda name: self._checks.get(name) is None)
        self._compiled = {name: _compile_pattern(name, self.patterns[name]) for name in checked_first}
        """Numbers with check digits come before others, which may look like a part of them."""

    @cached_property
    def policy_hash(self) -> str:
        """The name of the policy in the table of calls: the kinds of redacted text, and a hash of the rules."""
        version = ""
        if self.find is not None:
            version = self._version or digest("fn1", inspect.getsource(self.find))
        kinds = [*self.patterns, *([self.find.__name__] if self.find else [])]
        return f"{', '.join(kinds)} ({digest('rx1', canonical(self.patterns), version)[:12]})"

    def apply(
        self, texts: Sequence[str], prior_placeholders: Mapping[str, str] | None = None
    ) -> tuple[list[str], dict[str, str]]:
        """Redact texts.

        Parameters
        ----------
        texts
            The texts of one request.
        prior_placeholders
            The original text of each placeholder that is in these texts already; they keep their meaning.

        Returns
        -------
        tuple
            The redacted texts, and the original text of each placeholder.
        """
        prior = prior_placeholders or {}
        placeholders = {(_placeholder_kind(name), original): name for name, original in prior.items()}

        def placeholder(kind: str, original: str) -> str:
            if (kind, original) not in placeholders:
                number = sum(other_kind == kind for other_kind, _ in placeholders) + 1
                placeholders[kind, original] = f"[{kind} {number}]"
            return placeholders[kind, original]

        redacted_texts = [self._redact(text, placeholder) for text in texts]
        return redacted_texts, {name: original for (_, original), name in placeholders.items()}

    def _redact(self, text: str, placeholder: Callable[[str, str], str]) -> str:
        if self.find is not None:
            try:
                strings = sorted({item for item in self.find(text) if item}, key=len, reverse=True)  # the longest first
            except Exception as error:
                raise SetupError(
                    f"redact: `{self.find.__name__}` failed on a text, so it was not sent: {error!r}."
                ) from error
            if strings:
                exact = regex.compile("|".join(map(regex.escape, strings)))
                text = _replace_matches(text, self.find.__name__, exact, placeholder)
        for name, pattern in self._compiled.items():
            text = _replace_matches(text, name, pattern, placeholder, self._checks.get(name))
        return text

    def __repr__(self) -> str:
        return f"Redaction({self.policy_hash})"


def _placeholder_kind(placeholder: str) -> str:
    return placeholder.strip("[]").rpartition(" ")[0]


def _ready_made(name: str) -> ReadyMadePattern:
    if name not in READY_MADE_PATTERNS:
        raise SetupError(f"redact: there is no ready-made pattern `{name}`; {nearest(name, READY_MADE_PATTERNS)}")
    return READY_MADE_PATTERNS[name]


def _replace_matches(
    text: str,
    name: str,
    pattern: regex.Pattern[str],
    placeholder: Callable[[str, str], str],
    is_right: Callable[[str], bool] | None = None,
) -> str:
    def replacement(match: regex.Match[str]) -> str:
        if is_right is not None and not is_right(match[0]):
            return match[0]
        return placeholder(name, match[0]) if match[0] else ""

    try:
        return pattern.sub(replacement, text, timeout=_PATTERN_TIMEOUT_S)
    except TimeoutError:
        raise SetupError(
            f"redact: the pattern `{name}` takes more than {_PATTERN_TIMEOUT_S:g} s on one text; write a simpler one."
        ) from None


def _compile_pattern(name: str, pattern: str) -> regex.Pattern[str]:
    return compile_pattern(pattern, f"redact: `{name}`")
