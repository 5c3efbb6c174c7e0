"""Recognise refusals in the text of an answer, in seven languages.

A refusal needs two signs: the speaker cannot or will not do something, and that thing is the task. So *I cannot find
any insult in it* is not a refusal, and neither is *I can't help but notice* or *I cannot rate this as hateful*. Text in
quotation marks is ignored, because it is quoted from somebody else.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

_HEAD_CHARACTERS = 600  # characters: a refusal is at the beginning
_QUOTED = re.compile(
    r'"[^"\n]{0,400}+"|“[^”\n]{0,400}+”|«[^»\n]{0,400}+»|„[^“”\n]{0,400}+[“”]|「[^」\n]{0,400}+」|《[^》\n]{0,400}+》|'
    r"`[^`\n]{0,400}+`|^>.*$",
    re.MULTILINE,
)


class _RefusalWords(NamedTuple):
    """Regular expressions for the words of a refusal in one language."""

    cannot: str
    task: str
    """Verbs for the task of a judge."""
    sees: str
    """Verbs for finding something in a text; *I cannot see ...* is not a refusal."""
    sorry: str
    declines: str
    signs: tuple[str, ...]
    """Pieces in lower case; every text that `cannot` or `declines` matches has one of them."""


_LANGUAGES = {
    "English": _RefusalWords(
        cannot=r"\bI(?: can(?:no|['’])t| can not| won['’]t| will not|(?: am|['’]m) (?:unable|not able|not allowed))",
        task=r"help(?! but\b| \w+ing\b|ing\b)|assist|comply|fulfil|do (?:that|this|so)|provide|judge|rate|score|"
        r"evaluate|assess|analy[sz]e|classify|label|answer|respond|engage|participate|process|complete|perform|discuss|create|"
        r"generate|produce|give (?:you )?(?:an?|any|my)",
        sees=r"find|see|detect|identify|tell|say|determine|conclude|agree|confirm|discern|spot",
        sorry=r"\bsorry\b|\bapologi[sz]e\b|\bregret\b|\bas an? (?:AI\b|(?:large )?language model)",
        declines=r"\bI (?:\w+ )?(?:must|have to|need to|will have to) (?:\w+ly )?(?:decline|refuse)\b|"
        r"\bI (?:\w+ly )?(?:decline|refuse) to\b",
        signs=("i can", "i won", "i will", "i am", "i'm", "i’m", "declin", "refuse"),
    ),
    "French": _RefusalWords(
        cannot=r"\bje ne (?:peux|saurais|pourrai)(?: malheureusement)?(?: pas)?\b|\bje ne suis pas en mesure\b|"
        r"\bil m['’]est impossible\b",
        task=r"aider|assister|répondre|évaluer|juger|noter|traiter|analyser|fournir|donner|satisfaire|accéder|classer",
        sees=r"trouver|voir|dire|déterminer|conclure|relever|identifier|détecter|confirmer",
        sorry=r"\bdésolée?\b|\bexcuses\b|\bregrette\b",
        declines=r"\bje (?:dois|préfère) (?:refuser|décliner)\b|\bje refuse de\b",
        signs=("je ne", "il m'est", "il m’est", "refuse", "décliner"),
    ),
    "German": _RefusalWords(
        cannot=r"\b(?:ich kann|kann ich|ich darf|darf ich|ich werde|ich möchte)\b[^.!?\n]{0,40}?\bnicht\b|"
        r"\bnicht in der lage\b",
        task=r"helfen|weiterhelfen|unterstützen|beantworten|antworten|beurteilen|bewerten|einschätzen|einstufen|bearbeiten|"
        r"nachkommen|analysieren|liefern|erfüllen",
        sees=r"finden|erkennen|sehen|sagen|feststellen|bestätigen",
        sorry=r"\btut mir leid\b|\bleider\b|\bentschuldigung\b|\bbedaure\b",
        declines=r"\bich (?:muss|möchte)\b[^.!?\n]{0,40}?\bablehnen\b|\bich lehne\b[^.!?\n]{0,40}?\bab\b",
        signs=("nicht", "lehne"),
    ),
    "Spanish": _RefusalWords(
        cannot=r"\bno (?:puedo|podré|podría)\b|\bno me es posible\b|\bno estoy en condiciones\b",
        task=r"ayudar|asistir|responder|evaluar|juzgar|calificar|analizar|proporcionar|cumplir|atender|procesar|clasificar",
        sees=r"encontrar|ver|decir|determinar|concluir|identificar|detectar|confirmar",
        sorry=r"\blo siento\b|\blamento\b|\bdisculp",
        declines=r"\b(?:debo|tengo que|prefiero) (?:rechazar|declinar|negarme)",
        signs=("no puedo", "no podr", "no me es", "no estoy", "rechazar", "declin", "negarme"),
    ),
    "Portuguese": _RefusalWords(
        cannot=r"\bnão (?:posso|consigo|poderei|poderia)\b|\bnão me é possível\b|\bnão estou em condições\b",
        task=r"ajudar|auxiliar|responder|avaliar|julgar|classificar|analisar|fornecer|cumprir|atender|processar",
        sees=r"encontrar|ver|dizer|determinar|concluir|identificar|detectar|confirmar",
        sorry=r"\bsinto muito\b|\blamento\b|\bdesculp",
        declines=r"\b(?:devo|tenho (?:de|que)|prefiro) (?:recusar|declinar)",
        signs=("não", "recusar", "declin"),
    ),
    "Russian": _RefusalWords(
        cannot=r"\bя (?:\w+ )?не (?:могу|смогу|буду|готов\w?)\b|\bне имею возможности\b",
        task=r"помочь|помогать|ответить|отвечать|оценить|оценивать|судить|выполнить|анализировать|обсуждать|обработать",
        sees=r"найти|увидеть|видеть|сказать|определить|обнаружить|подтвердить",
        sorry=r"\bизвините\b|\bпростите\b|\bк сожалению\b|\bприношу извинения\b",
        declines=r"\bвынужден[аы]? отказать|\bдолж(?:ен|на) отказать",
        signs=("не ", "отказать"),
    ),
    "Chinese": _RefusalWords(
        cannot=r"(?:无法|無法|不能|不便|没办法|沒辦法)",
        task=r"提供|回答|回应|回應|协助|協助|帮助|幫助|帮|幫|完成|评价|評價|评估|評估|评分|評分|处理|處理|满足|滿足|"
        r"讨论|討論|参与|參與|执行|執行",
        sees=r"找|看|发现|發現|确定|確定|判断|判斷|得出",
        sorry=r"抱歉|对不起|對不起|很遗憾|很遺憾|作为(?:一个|一款)?(?:AI|人工智能)|作為(?:一個)?(?:AI|人工智慧)",
        declines=r"(?:必须|必須|只能|需要)(?:拒绝|拒絕)",
        signs=("无法", "無法", "不能", "不便", "没办法", "沒辦法", "拒绝", "拒絕"),
    ),
}
_NOT_IN_ASCII = {"Russian", "Chinese"}
_SIGNS = tuple(dict.fromkeys(sign for words in _LANGUAGES.values() for sign in words.signs))
_ASCII_SIGNS = tuple(sign for sign in _SIGNS if sign.isascii())
_NOT_A_VERDICT = r"(?![^.!?\n]{0,120}\bas (?!an? (?:AI|assistant|language))\w)"


def _refusal_pattern(language: _RefusalWords) -> str:
    """Within one sentence: *cannot* and the task, or *sorry* and *cannot*, or *decline*."""
    cannot = rf"(?:{language.cannot})(?!\W*(?:\w+ly\W+|to\W+|de\W+|d['’])?(?:{language.sees}))"
    task = rf"(?:{language.task})"
    return (
        rf"{cannot}[^.!?。！？\n]{{0,30}}?{task}{_NOT_A_VERDICT}|(?:{language.sorry})[^.!?。！？\n]{{0,40}}?{cannot}"
        rf"(?!\W+(?:\w+\W+)?help (?:but|\w+ing)){_NOT_A_VERDICT}|{language.declines}"
    )


@cache
def _refusal_regex(*, is_ascii: bool) -> re.Pattern[str]:
    """The patterns of the languages that occur in such a text, compiled on first use: that takes some milliseconds."""
    names = _LANGUAGES.keys() - (_NOT_IN_ASCII if is_ascii else ())
    patterns = {name: _refusal_pattern(_LANGUAGES[name]) for name in _LANGUAGES if name in names}
    chinese = patterns.pop("Chinese", None)
    words = rf"\b(?:{'|'.join(f'(?:{pattern})' for pattern in patterns.values())})"  # fast: all begin with a word
    return re.compile(f"{words}|{chinese}" if chinese else words, re.IGNORECASE)


def is_refusal_text(text: str) -> bool:
    """Whether a text begins by declining the task.

    Examples
    --------
    >>> is_refusal_text("I'm sorry, but I can't help with that."), is_refusal_text("Je ne peux pas évaluer ce texte.")
    (True, True)
    >>> is_refusal_text("I cannot find any evidence of contempt.")
    False
    >>> is_refusal_text("The bot said “I cannot help with that”.")
    False
    """
    if not text:
        return False
    head = text[:_HEAD_CHARACTERS]
    if not _may_decline(head):
        return False
    return _refusal_regex(is_ascii=head.isascii()).search(_QUOTED.sub(" … ", head)) is not None


def _may_decline(head: str) -> bool:
    """Whether a text has a sign of a refusal; far quicker than the patterns, and no refusal is without one."""
    if head.isascii():
        folded = head.lower()
        signs = _ASCII_SIGNS
    elif "\N{LATIN SMALL LETTER DOTLESS I}" in head or "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}" in head:
        return True  # the patterns take both for an i
    else:
        folded = head.casefold()
        signs = _SIGNS
    for sign in signs:  # noqa: SIM110  # this is asked for each text of each answer, and a generator takes twice as long
        if sign in folded:
            return True
    return False
