"""Taking keys out of text before it is stored, logged or shown.

Providers quote the key in their error messages, and a model may repeat one. There are two degrees. *Known* keys are the
values of environment variables that are named like a secret, and those that `register_secret` was told of (from a .env
file, a keyring, a prompt). They are taken out wherever they stand, as they are and as JSON, HTML or an address would
write them. *Shaped* like a key is what a provider's keys look like; that is taken out of messages only, because
evidence in which no key of ours stood must stay as it was, to the letter.
"""

from __future__ import annotations

import html
import os
import re
import string
import threading
import time

MARK = "[key]"
_NAMED = re.compile(r"(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS)$|API_?KEY", re.IGNORECASE)
_SHORTEST = 8  # a shorter key protects nothing, and taking it out would harm texts; longer than MARK, see redact_known
_STAND_INS = frozenset({"lm-studio", "no-key-required", "not-needed", "placeholder", "sk-no-key-required"})
_FRESH_S = 1.0
_lock = threading.Lock()
_registered: set[str] = set()
_read_at = float("-inf")
_read: frozenset[str] = frozenset()
_forms: tuple[str | re.Pattern[str], ...] = ()
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
    """A message with `[key]` where a key stood, or what looks like one.

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
    """Evidence with `[key]` where a known key stood, and otherwise to the letter.

    It is looked through again after each find, so that nothing that closes up around a mark is left; every find makes
    the text shorter.
    """
    forms, again = _known(), True
    while again:
        before = text
        for form in forms:
            if not isinstance(form, str):
                text = form.sub(MARK, text)
            elif form in text:
                text = text.replace(form, MARK)
        again = text != before
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


def _known() -> tuple[str | re.Pattern[str], ...]:
    """All known keys, longest first; the environment is read again after a second."""
    global _read_at, _read, _forms
    if time.monotonic() - _read_at > _FRESH_S:
        with _lock:
            found = frozenset(_registered | _in_environment())
            if found != _read:
                _read, _forms = found, tuple(_form(value) for value in sorted(found, key=len, reverse=True))
            _read_at = time.monotonic()
    return _forms


def _in_environment() -> set[str]:
    values = [os.environ.get(name, "") for name in list(os.environ) if _NAMED.search(name)]
    return {form for value in values for form in (value, strip_quotes(value)) if is_secret(form)}


def _form(value: str) -> str | re.Pattern[str]:
    """A key as it may stand in a text: itself, or a pattern where it has characters that formats write otherwise."""
    if all(character in _PLAIN for character in value):
        return value
    return re.compile("".join(re.escape(c) if c in _PLAIN else _encodings(c) for c in value))


def _encodings(character: str) -> str:
    """How JSON (also inside JSON, also Go's), Python's repr, HTML and addresses write a character."""
    code = ord(character)
    encoded = "".join(f"%(?:25)?{byte:02X}" for byte in character.encode(errors="replace"))
    ways = [rf"\\{{0,8}}{re.escape(character)}", rf"\\{{1,8}}(?i:u{code:04x})", f"(?i:{encoded})", f"&#0*{code};"]
    ways += [re.escape(html.escape(character))] if character in "&<>\"'" else [r"\+"] if character == " " else []
    return f"(?:{'|'.join(ways)})"
