"""Messages in the words of the shell: what a message tells the user to write is an option there, and no Python."""

from __future__ import annotations

import re

_VALUE = r"""(?:"[^"]*"|'[^']*'|\.\.\.|[\w.*]+)"""
_OPTIONS = {
    "content": "--content", "record_id": "--record-id", "cluster": "--cluster", "limit": "--limit", "cache": "--cache",
    "budget_usd": "--budget", "time_limit_s": "--time-limit", "concurrency": "--concurrency",
}  # fmt: skip
_FORMAT_OPTIONS = ("encoding", "delimiter", "sheet", "at", "pattern", "header")
_FLAGS = {"yes": "--yes", "batch": "--batch"}
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    *((re.compile(rf"(?<![\w.]){name}=True\b"), flag) for name, flag in _FLAGS.items()),
    *((re.compile(rf"(?<![\w.]){name}=({_VALUE})"), rf"{option} \1") for name, option in _OPTIONS.items()),
    *((re.compile(rf"(?<![\w.]){name}=({_VALUE})"), rf"-o {name}=\1") for name in _FORMAT_OPTIONS),
    (re.compile(r"(?<![\w.])follow_links=True\b"), "-o follow_links=true"),
    (re.compile(r"[Rr]aise budget_usd in run\(\.\.\.\)"), "Raise --budget"),
    (re.compile(r"run bm\.init\(\"name\"\)"), "write --project NAME"),
    (re.compile(r"^You have not opened a project, so "), "Without --project, "),
    (re.compile(r"open one, bm\.init\((\"[^\"]*\"|'[^']*')\)"), r"write --project \1"),
    (re.compile(r'bm\.set_key\("[^"]+"\) asks for it and keeps it in memory; or '), ""),
    (re.compile(r'`bm\.set_key\("[^"]+"\)` sets another key'), "Set another key in the environment"),
    (re.compile(r"\bbudget_usd=(?=-?[\d.])"), "--budget "),
    (re.compile(r"\bbm\.trust\(\)"), "`buttermilk-nb trust FOLDER`"),
    (re.compile(r"\brun\.errors\(\) shows why"), "--errors FILE writes why"),
    (re.compile(r"(?<=[Rr]un )the (?:same )?notebook cell"), "the command"),
    (re.compile(r"\bnotebook cell\b"), "command"),
)
_TRUTH_VALUES = re.compile(r"truth_values=\{([^{}]*)\}")
_PAIR = re.compile(rf"({_VALUE}): ({_VALUE})")


def in_shell_words(message: str) -> str:
    """A message whose advice is what one writes in the shell.

    Parameters
    ----------
    message
        A message for notebooks.

    Examples
    --------
    >>> in_shell_words('`id` looks like the id of each record; record_id="id" uses it.')
    '`id` looks like the id of each record; --record-id "id" uses it.'
    >>> in_shell_words("Give the answer that each of them means: truth_values={'bad': '...'}")
    "Give the answer that each of them means: --truth-value 'bad'='...'"
    """
    message = _TRUTH_VALUES.sub(
        lambda match: " ".join(f"--truth-value {word}={answer}" for word, answer in _PAIR.findall(match[1])), message
    )
    for pattern, words in _RULES:
        message = pattern.sub(words, message)
    return message
