"""Ready-made patterns for `Redaction`: e-mail addresses, phone numbers, bank accounts and the like.

None of them is a guarantee. A pattern finds what has the usual form; names, places, and numbers that somebody wrote in
another way stay in the text. A number with a check digit is redacted only if the digit is right.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import regex

READY_MADE = "ready-made"
"""What stands in the place of a pattern in the settings."""


class ReadyMadePattern(NamedTuple):
    """A pattern with what it finds, and a check of each match."""

    finds: str
    pattern: str
    is_right: Callable[[str], bool] | None = None


def _digits(text: str) -> list[int]:
    return [int(char) for char in text if char.isascii() and char.isdigit()]


def _has_luhn_digit(text: str) -> bool:
    """Luhn's check, of payment cards and of several national numbers."""
    digits = _digits(text)[::-1]
    doubled = (2 * digit - 9 * (digit > 4) for digit in digits[1::2])
    return len(set(digits)) > 1 and (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _is_iban(text: str) -> bool:
    """The check of ISO 13616: modulo 97."""
    plain = "".join(char for char in text if char.isalnum()).upper()
    number = "".join(str(int(char, 36)) for char in plain[4:] + plain[:4])
    return 15 <= len(plain) <= 34 and int(number) % 97 == 1


def _weighted(digits: list[int], weights: range | tuple[int, ...]) -> int:
    return sum(digit * weight for digit, weight in zip(digits, weights, strict=True))


def _is_spanish(text: str) -> bool:
    """DNI and NIE: the letter is the remainder of the number by 23."""
    plain = "".join(char for char in text.upper() if char.isalnum())
    number = plain[:-1].replace("X", "0").replace("Y", "1").replace("Z", "2")
    return number.isdigit() and plain[-1] == "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23]


def _is_french(text: str) -> bool:
    """NIR: the key is 97 minus the remainder of the number by 97; Corsica counts as 19 and 18."""
    plain = "".join(text.split()).upper().replace("2A", "19").replace("2B", "18")
    return plain.isdigit() and len(plain) == 15 and 97 - int(plain[:13]) % 97 == int(plain[13:])


def _is_dutch(text: str) -> bool:
    """BSN: the test of eleven."""
    digits = _digits(text)
    return len(digits) == 9 and any(digits) and _weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def _is_brazilian(text: str) -> bool:
    """CPF: two digits, each of the remainder by eleven."""
    digits = _digits(text)
    if len(digits) != 11 or len(set(digits)) == 1:
        return False
    return all(_weighted(digits[:n], range(n + 1, 1, -1)) * 10 % 11 % 10 == digits[n] for n in (9, 10))


def _is_german(text: str) -> bool:
    """Steuer-ID: ISO 7064, modulo 11, 10."""
    digits, product = _digits(text), 10
    if len(digits) != 11 or digits[0] == 0:
        return False
    for digit in digits[:10]:
        total = (digit + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == digits[10]


def _is_british(text: str) -> bool:
    """NHS number: the remainder by eleven."""
    digits = _digits(text)
    if len(digits) != 10 or not any(digits):
        return False
    check = (11 - _weighted(digits[:9], range(10, 1, -1)) % 11) % 11
    return check == digits[9]


def _is_polish(text: str) -> bool:
    """PESEL: a weighted sum."""
    digits = _digits(text)
    if len(digits) != 11 or not any(digits):
        return False
    return (10 - _weighted(digits[:10], (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10) % 10 == digits[10]


_ODD_VALUES = (
    1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22,
    25, 24, 23,
)  # fmt: skip
_ODD = dict(zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", _ODD_VALUES, strict=True))


def _is_italian(text: str) -> bool:
    """Codice fiscale: a sum of values by place."""
    plain = text.upper()
    even = (int(char, 36) - (0 if char.isdigit() else 10) for char in plain[1:15:2])
    return plain[15] == chr(ord("A") + (sum(_ODD[char] for char in plain[0:15:2]) + sum(even)) % 26)


def _is_swedish(text: str) -> bool:
    """Personnummer: Luhn's check of the last ten digits."""
    return _has_luhn_digit("".join(map(str, _digits(text)[-10:])))


_SEP = r"[ .\-]?"
_NATIONAL_IDS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    (r"(?:\d{8}|[XYZ]\d{7})[ \-]?[A-HJ-NP-TV-Z]", _is_spanish),
    (r"[12] ?\d{2} ?[01]\d ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}", _is_french),
    (rf"\d{{3}}{_SEP}\d{{3}}{_SEP}\d{{3}}-?\d{{2}}", _is_brazilian),
    (r"\d{2} ?\d{3} ?\d{3} ?\d{3}", _is_german),
    (r"\d{3}[ \-]?\d{3}[ \-]?\d{4}", _is_british),
    (r"\d{11}", _is_polish),
    (
        r"(?:\d{2})?\d{6}[\-+]?\d{4}",
        lambda text: _has_luhn_digit(text[-11:] if "-" in text or "+" in text else text[-10:]),
    ),
    (rf"\d{{3}}{_SEP}\d{{3}}{_SEP}\d{{3}}", lambda text: _is_dutch(text) or _has_luhn_digit(text)),
    (r"[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]", _is_italian),
)
"""Spain, France, Brazil, Germany, the United Kingdom, Poland, Sweden, the Netherlands and Canada, Italy."""


def _is_national_id(text: str) -> bool:
    return any(regex.fullmatch(pattern, text, regex.IGNORECASE) and check(text) for pattern, check in _NATIONAL_IDS)


_IBAN_LENGTHS = {
    15: "NO", 16: "BE", 18: "DK FI FK FO GL NL SD", 19: "MK SI", 20: "AT BA EE KZ LT LU MN XK", 21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM SO TL", 24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "LY PT ST", 26: "IS TR", 27: "BI DJ FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
    29: "BR EG PS QA UA", 30: "JO KW MU YE", 31: "MT SC", 32: "LC", 33: "RU",
}  # fmt: skip
"""The countries by the length of their account numbers, so that a word that follows is not taken for a part of one."""
_IBANS = "|".join(
    rf"(?i:{'|'.join(countries.split())})\d{{2}}(?:[ \u00a0\-]?[A-Za-z0-9]){{{length - 4}}}"
    for length, countries in _IBAN_LENGTHS.items()
)
_KNOWN_COUNTRIES = "|".join(" ".join(_IBAN_LENGTHS.values()).split())
_OTHER_IBAN = rf"(?!(?i:{_KNOWN_COUNTRIES}))[A-Z]{{2}}\d{{2}}(?: ?[A-Z0-9]{{4}}){{2,7}}(?: ?[A-Z0-9]{{1,3}})?"
READY_MADE_PATTERNS: dict[str, ReadyMadePattern] = {
    "email": ReadyMadePattern("e-mail addresses", r"(?<![\w.+'-])[\w.+'-]+@[\w-]+(?:\.[\w-]+)+"),
    "web": ReadyMadePattern("addresses on the web", r"\b(?:https?://|www\.)[^\s<>\"']*[^\s<>\"'.,;:!?)\]]"),
    "handle": ReadyMadePattern(
        "names in social media", r"(?<![\w.@/+-])@[A-Za-z0-9_](?:[\w.-]{0,38}\w)?(?:@[\w-]+(?:\.[\w-]+)+)?"
    ),
    "iban": ReadyMadePattern("bank accounts", rf"\b(?:{_IBANS}|{_OTHER_IBAN})(?![A-Za-z0-9])", _is_iban),
    "card": ReadyMadePattern("payment cards", r"(?<![\d.])\d(?:[ -]?\d){12,18}(?![\d.]?\d)", _has_luhn_digit),
    "national_id": ReadyMadePattern(
        "personal numbers of ten countries, by their check digits",
        r"(?<![\w.])(?:" + "|".join(f"(?:{pattern})" for pattern, _ in _NATIONAL_IDS) + r")(?!\w)",
        _is_national_id,
    ),
    "phone": ReadyMadePattern(
        "phone numbers",
        r"(?<![\w.,/-])(?:(?:\+|00)[1-9](?:[ ./()-]{0,2}\d){6,14}|"
        r"(?:[(]0\d{1,4}[)]|0\d{1,4})(?:[ ./-]{1,2}\d{2,9}){1,4}|(?:[(]\d{3}[)] ?|\d{3}[ .-])\d{3}[ .-]\d{4})(?![\w])",
    ),
}
"""The patterns by name, in the order in which they are applied: numbers with a check digit before phone numbers."""
