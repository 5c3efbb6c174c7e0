"""Extractors that are ready to use: rule findings, frames, hidden meanings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...codebook.criteria import Criteria
from ..config_files import document
from .extractor import Extractor


def rule_findings(name: str, *, criteria: Criteria | str | Path, **options: Any) -> Extractor:
    """An extractor of rule findings: one row per rule that a passage breaks, or could be thought to break.

    Parameters
    ----------
    name
        The step's name.
    criteria
        The document whose criteria are the rules.
    **options
        Others of an `Extractor`: models, replicates, ...

    Returns
    -------
    Extractor
        With the columns `rule`, `violated`, `quote` and `reason`.

    Examples
    --------
    >>> names, sources = {"question": "Are people named?"}, {"question": "Is there a source?"}
    >>> rules = Criteria("desk", "House rules.", criteria={"names": names, "sources": sources})
    >>> rule_findings("rules", criteria=rules).columns["rule"]
    ('names', 'sources')
    """
    rules: Criteria = document(criteria)
    instruction = (
        "You check a text against written rules. Report every passage that breaks a rule, and every passage that a "
        "strict reader might take to break one although it does not. One row is one rule and one passage."
    )
    columns = {
        "rule": tuple(criterion.name for criterion in rules),
        "violated": ("yes", "no"),
        "quote": "the words of the passage",
        "reason": "why it breaks the rule, or why it does not, in one sentence",
    }
    return Extractor(name, instruction, columns=columns, criteria=rules, **options)


def frames(name: str, **options: Any) -> Extractor:
    """An extractor of frames: one row per statement that says what is wrong, why, how bad, or what to do.

    Parameters
    ----------
    name
        The step's name.
    **options
        Others of an `Extractor`: models, replicates, ...

    Returns
    -------
    Extractor
        With the columns `statement`, `speaker`, `function`, `frame` and `quote`.

    Notes
    -----
    The four functions of a frame are those of Entman (1993), Framing: toward clarification of a fractured paradigm,
    Journal of Communication 43(4).

    Examples
    --------
    >>> frames("frames").columns["function"]
    ('problem', 'cause', 'moral judgement', 'remedy')
    """
    instruction = (
        "You analyse how a text frames what it reports. Find every statement that defines a problem, names a cause, "
        "makes a moral judgement or suggests a remedy. One row is one statement; one that does two of these has two."
    )
    columns = {
        "statement": "what is said, in one sentence of your own",
        "speaker": "who says it: `the text` in its own voice, or the person or body that it quotes",
        "function": ("problem", "cause", "moral judgement", "remedy"),
        "frame": "the frame that it belongs to, in two to five words, the same words for the same frame",
        "quote": "the words that it rests on",
    }
    return Extractor(name, instruction, columns=columns, **options)


def hidden_meanings(name: str, **options: Any) -> Extractor:
    """An extractor of what is meant and not said: one row per passage that says more than its words.

    Parameters
    ----------
    name
        The step's name.
    **options
        Others of an `Extractor`: models, replicates, ...

    Returns
    -------
    Extractor
        With the columns `quote`, `surface`, `meaning`, `device`, `audience` and `confidence`.

    Examples
    --------
    >>> list(hidden_meanings("subtext").columns)
    ['quote', 'surface', 'meaning', 'device', 'audience', 'confidence']
    """
    instruction = (
        "You look for what a text means without saying it: irony, coded words, insinuation, presupposition, mock "
        "praise. Report only what a reader who knows the context could be expected to hear, and say what else the "
        "words could mean. One row is one passage. Plain statements are no hidden meanings."
    )
    columns = {
        "quote": "the words of the passage",
        "surface": "what they say, taken at their word",
        "meaning": "what is meant, in one sentence",
        "device": ("irony", "coded word", "insinuation", "presupposition", "mock praise", "other"),
        "audience": "who is expected to hear it",
        "confidence": ("low", "medium", "high"),
    }
    return Extractor(name, instruction, columns=columns, **options)
