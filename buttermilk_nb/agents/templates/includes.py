"""`{% include "part.md" %}` in prompt files: the text of another file of the same folder.

The text is put in where the line is, before anything else is done with the prompt. So the hash of a prompt covers what
it includes, the same rules hold for it, and a stored prompt needs no other file.
"""

from __future__ import annotations

import re
from pathlib import Path

from ..._internal import yaml
from ...errors import SetupError, nearest

PROMPT_ENDINGS = (".md", ".txt", ".jinja", ".j2")
_INCLUDE = re.compile(r"""\{%-?\s*include\s+(?:"([^"\n]*)"|'([^'\n]*)')\s*-?%\}""")
_ANY_INCLUDE = re.compile(r"\{%-?\s*(include|import|from|extends)\b")
_MAX_DEPTH = 8
_MAX_CHARACTERS = 1_000_000


def insert_includes(text: str, path: Path) -> str:
    """Put in what a prompt file includes.

    Parameters
    ----------
    text
        The text of the file.
    path
        The file; what it includes must be in its folder.

    Raises
    ------
    SetupError
        A file does not exist, is not in the folder, has another ending than prompts have, or includes itself; or the
        text uses `include` in another form, or `import`, `from` or `extends`.
    """
    expanded = _insert(text, path, path.parent.resolve(), (path.name,), [len(text)])
    if other := _ANY_INCLUDE.search(expanded):
        raise SetupError(
            f"prompt `{path.name}` uses `{other[1]}` in a form that prompts do not have; write "
            '{% include "part.md" %}, with the name of a file in the same folder.'
        )
    return expanded


def _insert(text: str, path: Path, folder: Path, opened: tuple[str, ...], n_characters: list[int]) -> str:
    """The text with its includes; `n_characters` counts the characters of all of them."""

    def read(match: re.Match[str]) -> str:
        name = match[1] if match[1] is not None else match[2]
        file = _part(name, path, folder)
        if file.name in opened or len(opened) > _MAX_DEPTH:
            raise SetupError(f"prompt `{path.name}`: {' -> '.join([*opened, name])} include each other without an end.")
        part = yaml.read_text(file).strip()
        n_characters[0] += len(part) + 1
        if n_characters[0] > _MAX_CHARACTERS:
            raise SetupError(
                f"prompt `{path.name}` has more than {_MAX_CHARACTERS:,} characters with what it includes."
            )
        return _insert(part, path, folder, (*opened, file.name), n_characters)

    return _INCLUDE.sub(read, text)


def _part(name: str, path: Path, folder: Path) -> Path:
    """The included file. Only prompts of the same folder: a file from elsewhere could hold a key."""
    is_plain = (
        name == Path(name).name
        and "\\" not in name
        and not name.startswith(".")
        and name.lower().endswith(PROMPT_ENDINGS)
    )
    file = folder / name if is_plain else folder
    if not is_plain or file.resolve().parent != folder:
        raise SetupError(
            f"prompt `{path.name}` cannot include `{name}`: it must be a file in the same folder, with the ending "
            f"{', '.join(PROMPT_ENDINGS)}."
        )
    if not file.is_file():
        names = sorted(each.name for each in folder.iterdir() if each.name.lower().endswith(PROMPT_ENDINGS))
        raise SetupError(f"prompt `{path.name}` includes `{name}`, which does not exist; {nearest(name, names)}")
    return file
