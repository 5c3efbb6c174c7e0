"""Taking names and numbers out of texts before they are sent, and keeping at home what stood there.

What matches is replaced by a placeholder that is numbered within one request (`[person 1]`), so that equal names
stay recognisable as equal and the same request is always redacted in the same way, which the cache needs. The
finished messages are redacted, not the record: a name that an earlier step quoted does not leave either.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property

import regex

from ..._internal.ids import canonical, digest
from ...errors import SetupError

Finder = Callable[[str], Iterable[str]]
_PATTERN_TIMEOUT_S = 5.0  # a pattern that takes longer on one text would take for ever


class Redaction:
    r"""What is taken out of texts that go to a remote provider.

    Parameters
    ----------
    patterns
        A regular expression for each kind of thing: `{"e-mail": r"\S+@\S+"}`.
    find
        Finds more: a function from a text to the strings in it that must not leave.
    version
        The version of that function; by default the hash of its source.

    Raises
    ------
    SetupError
        A pattern is not a regular expression.

    Examples
    --------
    >>> policy = Redaction({"phone": r"\b\d{4} \d{3} \d{3}\b"})
    >>> policy.apply(["Call 0400 123 456, or 0400 999 999, or 0400 123 456."])
    (['Call [phone 1], or [phone 2], or [phone 1].'], {'[phone 1]': '0400 123 456', '[phone 2]': '0400 999 999'})
    """

    def __init__(
        self, patterns: Mapping[str, str] | None = None, *, find: Finder | None = None, version: str | None = None
    ) -> None:
        self.patterns = dict(patterns or {})
        self.find = find
        self._version = version
        self._compiled = {name: _compile_pattern(name, pattern) for name, pattern in self.patterns.items()}

    @cached_property
    def policy_hash(self) -> str:
        """The name under which traces mention it: what is taken out, and the hash of how."""
        made = ""
        if self.find is not None:
            made = self._version or digest("fn1", inspect.getsource(self.find))
        kinds = [*self.patterns, *([self.find.__name__] if self.find else [])]
        return f"{', '.join(kinds)} ({digest('rx1', canonical(self.patterns), made)[:12]})"

    def apply(
        self, texts: Sequence[str], prior_placeholders: Mapping[str, str] | None = None
    ) -> tuple[list[str], dict[str, str]]:
        """The texts without what must not leave, and what each placeholder stands for.

        `earlier` are placeholders that stand in these texts already; they keep their meaning.
        """
        placeholders = {
            (_placeholder_kind(shown), original): shown for shown, original in (prior_placeholders or {}).items()
        }

        def placeholder(kind: str, found: str) -> str:
            known = placeholders.get((kind, found))
            if known is None:
                number = sum(of == kind for of, _ in placeholders) + 1
                known = placeholders[kind, found] = f"[{kind} {number}]"
            return known

        done = [self._redact(text, placeholder) for text in texts]
        return done, {shown: original for (_, original), shown in placeholders.items()}

    def _redact(self, text: str, placeholder: Callable[[str, str], str]) -> str:
        if self.find is not None:
            try:
                found = sorted({item for item in self.find(text) if item}, key=len, reverse=True)  # the longest first
            except Exception as error:
                raise SetupError(
                    f"redact: `{self.find.__name__}` failed on a text, so it was not sent: {error!r}."
                ) from error
            if found:
                exact = regex.compile("|".join(map(regex.escape, found)))
                text = _replace_matches(text, self.find.__name__, exact, placeholder)
        for name, pattern in self._compiled.items():
            text = _replace_matches(text, name, pattern, placeholder)
        return text

    def __repr__(self) -> str:
        return f"Redaction({self.policy_hash})"


def _placeholder_kind(placeholder: str) -> str:
    return placeholder.strip("[]").rpartition(" ")[0]


def _replace_matches(text: str, name: str, pattern: regex.Pattern[str], placeholder: Callable[[str, str], str]) -> str:
    def shown(match: regex.Match[str]) -> str:
        return placeholder(name, match[0]) if match[0] else ""

    try:
        return pattern.sub(shown, text, timeout=_PATTERN_TIMEOUT_S)
    except TimeoutError:
        raise SetupError(
            f"redact: the pattern `{name}` takes more than {_PATTERN_TIMEOUT_S:g} s on one text; write a simpler one."
        ) from None


def _compile_pattern(name: str, pattern: str) -> regex.Pattern[str]:
    try:
        return regex.compile(pattern)
    except regex.error as error:
        raise SetupError(f"redact: `{name}` is not a regular expression ({error}): {pattern}") from None
