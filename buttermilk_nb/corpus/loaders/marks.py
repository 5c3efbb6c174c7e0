"""Which records must stay on this machine: all of them, or those that a column marks.

A cell that is empty or says neither yes nor no is an error and not a *no*: a text that has once been sent
cannot be called back.
"""

from __future__ import annotations

from .dotted_names import get
from .source import Source, raise_problems

_MEANINGS = {"yes": True, "y": True, "true": True, "1": True, "no": False, "n": False, "false": False, "0": False}


def local_only_flags(source: Source, local_only: bool | str) -> list[bool]:
    """For each row whether its record is `local_only`.

    Raises
    ------
    SetupError
        The column leaves it open; the lines are listed.
    """
    if isinstance(local_only, bool):
        return [local_only] * len(source.rows)
    marks: list[bool] = []
    problems: list[str] = []
    for row in source.rows:
        value = get(row.fields, local_only)
        said = str(int(value) if isinstance(value, float) and value.is_integer() else value).strip().lower()
        if said not in _MEANINGS and not row.problem:
            shown = "is empty" if said in ("", "none") else f"says `{str(value)[:40]}`"
            problems.append(
                f"line {row.line}: `{local_only}` {shown}; write `yes` where the record must stay, or `no`."
            )
        marks.append(_MEANINGS.get(said, True))
    raise_problems(problems)
    return marks
