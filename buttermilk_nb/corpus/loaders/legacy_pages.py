"""Choose the code page of a text in an old encoding, by the letters that its languages have.

Detectors that know only frequencies confuse neighbouring pages, in which the same byte is `ø` or `ř`. Which page is
right shows in the letters: nearly all letters beyond ASCII must belong to one language that is written in that page.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from typing import NamedTuple

_LANGUAGES = {
    "cp1252": (
        "äöüß", "àâæçéèêëîïôœùûüÿ", "áéíñóúüªº", "áâãàçéêíóôõúü",
        "àèéìíîòóùú", "åäöéüà", "æøåéèêóòô", "ëïéèöüá",
        "áéíóúýþæöð",
    ),
    "iso8859_16": ("ăâîșț",),
    "cp1250": ("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "čćđšž", "ăâîşţ", "čšžáéô"),
    "cp1257": ("ąčęėįšųūž", "āčēģīķļņšūžŗō", "äõöüšž"),
    "cp1254": ("çğıöşüâîûİ",),
    "cp1251": ("абвгдежзийклмнопрстуфхцчшщъыьэюяё", "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя’",
               "абвгдежзийклмнопрстуфхцчшщъьюя", "абвгдђежзијклљмнњопрстћуфхцчџш"),
    "koi8_r": ("абвгдежзийклмнопрстуфхцчшщъыьэюяё",),
    "cp1253": ("αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ",),
    "mac_roman": ("äöüß", "àâæçéèêëîïôœùûü", "áéíñóúü", "åäöéæø"),
    "cp850": ("äöüß", "àâçéèêëîïôùûü", "áéíñóúü", "åäöéæø"),
}  # fmt: skip
"""The letters beyond ASCII of the languages that are usually written in each page, one text for each language."""
_NEUTRAL = frozenset("\N{NO-BREAK SPACE}«»‹›“”„‟‘’‚‛–—…€£§°´¨¿¡·•№©®™½¼¾²³±×\N{SOFT HYPHEN}\N{EN SPACE}")
"""Signs that texts in every language may have."""
_SURE = 0.97  # the share of letters that must belong to one language
_CLOSE = 0.05  # by how much less another page may fit and still be possible
_OTHER_SCRIPTS = frozenset({"cp1251", "koi8_r", "cp1253"})
_WORD = re.compile(r"[^\W\d_]+(?:[^\w\s.,;:!?/|()&+=<>@#*…–—-]?[^\W\d_]+)*")
_MOST_ACCENTS = 0.7
"""The largest share of letters beyond ASCII in the words of a Latin script that have any, words of one letter apart."""


class Page(NamedTuple):
    """A code page, and how well a text fits it: the share of its letters that are letters of one language."""

    name: str
    share: float


def fitting_pages(data: bytes) -> list[Page]:
    """The pages in which the bytes are text, the best first.

    Examples
    --------
    >>> fitting_pages("Příliš žluťoučký kůň úpěl ďábelské ódy".encode("cp1250"))[0].name
    'cp1250'
    >>> fitting_pages("Größe und Überfälle".encode("cp1252"))[0].name
    'cp1252'
    """
    pages = [Page(name, share) for name in _LANGUAGES if (share := _share(data, name)) > 0]
    return sorted(pages, key=lambda page: -page.share)  # a stable sort: of equals the more usual page is first


def rivals(pages: list[Page], data: bytes) -> list[Page]:
    """The pages that fit nearly as well as the best one, and read the bytes as other letters."""
    if not pages:
        return []
    best = data.decode(pages[0].name)
    close = [page for page in pages[1:] if page.share >= pages[0].share - _CLOSE]
    return [page for page in close if data.decode(page.name) != best]


def is_sure(pages: list[Page], data: bytes) -> bool:
    """Whether the best page is right: nearly all letters fit, and no other page fits nearly as well."""
    return bool(pages) and pages[0].share >= _SURE and not rivals(pages, data)


def _share(data: bytes, name: str) -> float:
    """The share of the letters beyond ASCII that a language of this page has; 0 if the page has a gap."""
    try:
        text = data.decode(name)
    except UnicodeDecodeError:
        return 0.0
    n = sum(not char.isascii() and char not in _NEUTRAL for char in text)
    if not n:
        return 1.0 if name == "cp1252" else 0.0
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    long_words = [word for word in words if len(word) > 1]  # `à` and `è` are words too
    n_long = sum(not char.isascii() and char not in _NEUTRAL for word in long_words for char in word)
    if name not in _OTHER_SCRIPTS and n_long > _MOST_ACCENTS * sum(map(len, long_words)):
        return 0.0
    if name in _OTHER_SCRIPTS and not any(_is_word(word, is_other_script=True) for word in long_words):
        return 0.0
    fitting = Counter(char for word in words if _is_word(word, is_other_script=name in _OTHER_SCRIPTS) for char in word)
    return max(sum(fitting[char] for char in {*alphabet, *alphabet.upper()}) for alphabet in _LANGUAGES[name]) / n


def _is_word(word: str, *, is_other_script: bool) -> bool:
    """Whether a word can be one: in one script, without signs or capital letters in it."""
    if any(not char.isalpha() and char not in "'’\N{SOFT HYPHEN}" for char in word):
        return False
    if is_other_script and any(char.isascii() and char.isalpha() for char in word):
        return False
    letters = [char for char in word if char.isalpha()]
    return not any(a.islower() and b.isupper() for a, b in pairwise(letters))
