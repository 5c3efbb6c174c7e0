"""`local_only_flags`: which records must stay on this machine, from the user's word or from a column."""

from __future__ import annotations

from .dotted_names import get_field
from .source import Source, raise_problems

_YES_NO = {"yes": True, "y": True, "true": True, "1": True, "no": False, "n": False, "false": False, "0": False}


def local_only_flags(source: Source, local_only: bool | str) -> list[bool]:
    """For each row, whether its record is `local_only`.

    Raises
    ------
    SetupError
        The column does not say `yes` or `no` in every row; the lines are listed.
    """
    if isinstance(local_only, bool):
        return [local_only] * len(source.rows)
    flags: list[bool] = []
    problems: list[str] = []
    for row in source.rows:
        value = get_field(row.fields, local_only)
        word = str(int(value) if isinstance(value, float) and value.is_integer() else value).strip().lower()
        if word not in _YES_NO and not row.problem:
            problem = "is empty" if word in ("", "none") else f"says `{str(value)[:40]}`"
            problems.append(
                f"{source.unit} {row.line}: `{local_only}` {problem}; write `yes` if the record must stay on this "
                "machine, otherwise `no`."
            )
        flags.append(_YES_NO.get(word, True))
    raise_problems(problems)
    return flags
