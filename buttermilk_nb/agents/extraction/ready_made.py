"""Instructions and columns of the ready-made extractors.

They are part of the cache key of every request that uses them, so their wording must not change.
"""

from __future__ import annotations

from typing import NamedTuple


class ReadyMade(NamedTuple):
    """The instruction and the columns of one ready-made extractor."""

    instruction: str
    columns: dict[str, str | tuple[str, ...]]


# `Extractor.rule_findings` adds the column `rule`, with the names of the criteria, before these
RULE_FINDINGS = ReadyMade(
    instruction=(
        "You check a text against written rules. Report every passage that breaks a rule, and every passage that a "
        "strict reader might take to break one although it does not. One row is one rule and one passage."
    ),
    columns={
        "violated": ("yes", "no"),
        "quote": "the words of the passage",
        "reason": "why it breaks the rule, or why it does not, in one sentence",
    },
)


FRAMING = ReadyMade(
    instruction=(
        "You analyse how a text frames what it reports. Find every statement that defines a problem, names a cause, "
        "makes a moral judgement or suggests a remedy. One row is one statement; one that does two of these has two."
    ),
    columns={
        "statement": "what is said, in one sentence of your own",
        "speaker": "who says it: `the text` in its own voice, or the person or body that it quotes",
        "function": ("problem", "cause", "moral judgement", "remedy"),
        "frame": "the frame that it belongs to, in two to five words, the same words for the same frame",
        "quote": "the words that it rests on",
    },
)


HIDDEN_MEANINGS = ReadyMade(
    instruction=(
        "You look for what a text means without saying it: irony, coded words, insinuation, presupposition, mock "
        "praise. Report only what a reader who knows the context could be expected to hear, and say what else the "
        "words could mean. One row is one passage. Plain statements are no hidden meanings."
    ),
    columns={
        "quote": "the words of the passage",
        "surface": "what they say, taken at their word",
        "meaning": "what is meant, in one sentence",
        "device": ("irony", "coded word", "insinuation", "presupposition", "mock praise", "other"),
        "audience": "who is expected to hear it",
        "confidence": ("low", "medium", "high"),
    },
)
