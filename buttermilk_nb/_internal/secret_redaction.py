"""Remove keys from a text before it is stored, logged or shown.

Providers quote the key in their error messages, and a model may repeat one. *Known* keys are the values of environment
variables with a name like a secret, and those given to `register_secret` (from a .env file, a keyring, a prompt). They
are removed wherever they occur, as they are and as JSON, HTML or a URL would write them. What is only *shaped* like a
key is removed from messages only, because evidence that holds no key of ours must stay as it was, to the letter.

A key with signs in it can be written in many ways, so that a pattern for it could begin at any character of a text.
Such a key is found by its longest run of letters instead, which every format writes as it is: the patterns begin with
letters.
"""

from __future__ import annotations

import html
import os
import re
import string
import threading
import time
from typing import NamedTuple

MARK = "[key]"
_NAMED = re.compile(r"(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS)$|API_?KEY", re.IGNORECASE)
_SHORTEST = 8  # a shorter key protects nothing, and taking it out would harm texts; longer than MARK, see redact_known
_STAND_INS = frozenset({"lm-studio", "no-key-required", "not-needed", "placeholder", "sk-no-key-required"})
_FRESH_S = 1.0
_lock = threading.Lock()
_registered: set[str] = set()
_read_at = float("-inf")
_read: frozenset[str] = frozenset()
_forms: tuple[str | _EncodedKey, ...] = ()
_LONGEST_ENCODING = 40  # characters in which a format writes one character of a key
_PLAIN = frozenset(string.ascii_letters + string.digits + "-._~")

_EDGE = r"(?:(?<![A-Za-z0-9_])|(?<=\\[nrt])|(?<=\\u[0-9A-Fa-f]{4})|(?<=%[0-9A-Fa-f]{2}))"
_SHAPED = re.compile(
    _EDGE
    + r"""(?:
      [sp]k-(?=[\w.*-]{0,60}?[\d*])[\w.*-]{8,}              # most providers: sk-..., sk-ant-..., sk-proj-...
    | (?:hf|gsk|r8|fw|gh[pousr])_[A-Za-z0-9*]{16,}
    | github_pat_\w{16,}
    | (?:xai|csk|pplx)-[A-Za-z0-9*]{16,}
    | (?:nvapi|glpat|tvly|GOCSPX|xox[abeoprs])-[\w*-]{10,}
    | AIza[\w*-]{8,}
    | ya29\.[\w-]{16,}
    | (?:AKIA|ASIA)[A-Z0-9]{12,}
    | eyJ[\w-]{8,2000}\.eyJ[\w-]{8,4000}(?:\.[\w-]*)?       # a signed token: header, payload, signature
    | (?i:bearer|basic)[ ](?=[\w.~+/=*-]{0,60}?[\d*=])[\w.~+/=*-]{8,}
    )""",
    re.VERBOSE | re.ASCII,
)
_LABELLED = re.compile(
    r"""((?i:api[-_]?key|access[-_]?token|client[-_]?secret|secret[-_]?access[-_]?key|[?&]key)
        ["'\\]{0,3}\s{0,2}[=:]\s{0,2}["'\\]{0,3})(?=[^\s"'&,;\\]{0,60}?\d)[^\s"'&,;\\]{12,}""",
    re.VERBOSE | re.ASCII,
)
_IN_ADDRESS = re.compile(r"""(://)[^\s/@:"']{0,256}:[^\s/@"']{1,256}(?=@)""")
_PRIVATE = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[A-Za-z0-9+/=\s\\]{0,20000}(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?"
)


def redact(text: str) -> str:
    """A message with `[key]` in the place of each key, known or only shaped like one.

    Examples
    --------
    >>> redact("Incorrect API key provided: sk-abcdef123456.")
    'Incorrect API key provided: [key]'
    >>> redact("GET /v1/models?key=0123456789abcdef failed")
    'GET /v1/models?key=[key] failed'
    """
    text = _PRIVATE.sub(MARK, _SHAPED.sub(MARK, redact_known(text)))
    return redact_known(_IN_ADDRESS.sub(rf"\1{MARK}", _LABELLED.sub(rf"\1{MARK}", text)))


def redact_known(text: str) -> str:
    """Evidence with `[key]` in the place of each known key, and otherwise to the letter.

    The text is searched again after each removal, because a key may close up around a mark; every removal makes the
    text shorter.
    """
    forms, has_changed = _known_forms(), True
    while has_changed:
        before = text
        for form in forms:
            text = text.replace(form, MARK) if isinstance(form, str) else form.remove_from(text)
        has_changed = text != before
    return text


def register_secret(value: str) -> None:
    """Count this value as a key from now on, wherever it was found.

    Values of fewer than eight characters, and the stand-ins that local servers ask for (`not-needed`), are no secrets.

    Examples
    --------
    >>> register_secret("planted/for+this=example")
    >>> redact_known("said planted/for+this=example and planted%2Ffor%2Bthis%3Dexample")
    'said [key] and [key]'
    """
    global _read_at
    if is_secret(value):
        with _lock:
            _registered.add(value)
            _read_at = float("-inf")


def is_secret(value: str) -> bool:
    """Whether a value is long enough, and not one of the usual stand-ins.

    Examples
    --------
    >>> is_secret("not-needed"), is_secret("a-real-one")
    (False, True)
    """
    return len(value) >= _SHORTEST and value.lower() not in _STAND_INS


def is_secret_name(name: str) -> bool:
    """Whether a variable of that name holds a secret.

    Examples
    --------
    >>> is_secret_name("OPENAI_API_KEY"), is_secret_name("OPENAI_API_BASE")
    (True, False)
    """
    return _NAMED.search(name) is not None


def strip_quotes(value: str) -> str:
    """A key without the spaces, line ends and straight quotes that copying leaves around it.

    Examples
    --------
    >>> strip_quotes(' "abc" ')
    'abc'
    """
    return value.strip().strip("\"'`").strip()


def _known_forms() -> tuple[str | _EncodedKey, ...]:
    """All known keys, longest first; the environment is read again after a second."""
    global _read_at, _read, _forms
    if time.monotonic() - _read_at > _FRESH_S:
        with _lock:
            keys = frozenset(_registered | _in_environment())
            if keys != _read:
                _read, _forms = keys, tuple(_form(key) for key in sorted(keys, key=len, reverse=True))
            _read_at = time.monotonic()
    return _forms


def _in_environment() -> set[str]:
    values = [os.environ.get(name, "") for name in list(os.environ) if _NAMED.search(name)]
    return {form for value in values for form in (value, strip_quotes(value)) if is_secret(form)}


class _EncodedKey(NamedTuple):
    """A key with signs, in all the ways in which formats write it."""

    letters: str
    """Its longest run of letters; a text without it does not contain the key."""
    before: re.Pattern[str]
    """What precedes the letters, up to the end of what is searched."""
    pattern: re.Pattern[str]
    """The letters and what follows them."""
    longest_before: int

    def remove_from(self, text: str) -> str:
        """The text with the mark in the place of each occurrence of the key."""
        if self.letters not in text:
            return text
        parts, end, position = [], 0, 0
        while match := self.pattern.search(text, position):
            start = self.before.search(text, max(end, match.start() - self.longest_before), match.start())
            if start is None:
                position = match.start() + 1  # the key itself may begin within this match
            else:
                parts += [text[end : start.start()], MARK]
                position = end = match.end()
        return "".join([*parts, text[end:]])


def _form(key: str) -> str | _EncodedKey:
    """How a key is searched: as it is, or, if formats write some of its characters in other ways, by its letters."""
    if all(character in _PLAIN for character in key):
        return key
    runs = re.finditer(f"[{re.escape(''.join(sorted(_PLAIN)))}]+", key)
    start, end = max((run.span() for run in runs), key=lambda span: span[1] - span[0], default=(0, 0))
    before, rest = (_pattern(key[:start]), re.escape(key[start:end]) + _pattern(key[end:]))
    return _EncodedKey(key[start:end], re.compile(before + r"\Z"), re.compile(rest), _LONGEST_ENCODING * start)


def _pattern(part: str) -> str:
    return "".join(re.escape(character) if character in _PLAIN else _encodings(character) for character in part)


def _encodings(character: str) -> str:
    """How JSON (also inside JSON, also Go's), Python's repr, HTML and addresses write a character."""
    code = ord(character)
    encoded = "".join(f"%(?:25)?{byte:02X}" for byte in character.encode(errors="replace"))
    ways = [rf"\\{{0,8}}{re.escape(character)}", rf"\\{{1,8}}(?i:u{code:04x})", f"(?i:{encoded})", f"&#0*{code};"]
    ways += [re.escape(html.escape(character))] if character in "&<>\"'" else [r"\+"] if character == " " else []
    return f"(?:{'|'.join(ways)})"
