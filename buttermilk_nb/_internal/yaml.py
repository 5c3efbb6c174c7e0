"""Reads and writes YAML in which `no` and dates stay text.

`flag: no` is the answer *no*, not the boolean False, and `retrieved: 2026-11-20` is the text that was typed. PyYAML
follows YAML 1.1, which turns both into something else. This loader keeps numbers, `true`, `false` and `null`, and
leaves everything else as text. A key that occurs twice is an error, because the second value would silently replace the
first. Files may come from somebody else: a few lines of aliases of aliases can mean more values than a memory can hold,
so the values are counted before they are made. PyYAML stays next to ruamel.yaml, which reads some files otherwise: of
`{a:, b: 1}` it makes the key `a:`.
"""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import yaml

from ..errors import SetupError

MAX_BYTES = 2_000_000
"""The size of the largest text file that is read whole: settings, criteria, prompts, flows."""
MAX_VALUES = 100_000
"""The number of values that a YAML text may mean, each alias counted as what it stands for."""
MAX_DEPTH = 100
_NUMBER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers = {}  # noqa: RUF012  # PyYAML's way: a class attribute, here emptied
    yaml_constructors = {  # as above; only what is plain text elsewhere too
        f"tag:yaml.org,2002:{kind}": yaml.SafeLoader.yaml_constructors[f"tag:yaml.org,2002:{kind}"]
        for kind in ("bool", "null", "seq", "str")
    } | {None: yaml.SafeLoader.yaml_constructors[None]}
    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self.depth += 1
        self._check_depth(self.depth)
        node: yaml.Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def fetch_flow_collection_start(self, kind: Any) -> None:
        """Check the depth of brackets too: the scanner reads far ahead, and slowly, before a node is composed."""
        self._check_depth(self.flow_level)
        super().fetch_flow_collection_start(kind)

    def _check_depth(self, depth: int) -> None:
        if depth > MAX_DEPTH:
            problem = f"lists are nested more than {MAX_DEPTH} deep"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=self.get_mark())


def _construct_mapping(loader: _Loader, node: yaml.MappingNode) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise yaml.MarkedYAMLError(problem="a key is a list or a mapping", problem_mark=key_node.start_mark)
        key = str(loader.construct_object(key_node, deep=True))
        if key in mapping:
            raise yaml.MarkedYAMLError(problem=f"the key `{key}` occurs twice", problem_mark=key_node.start_mark)
        mapping[key] = loader.construct_object(value_node, deep=True)
    return mapping


def _construct_number(loader: _Loader, node: yaml.ScalarNode) -> int | float:
    text = str(loader.construct_scalar(node))
    return float(text) if any(c in text for c in ".eE") else int(text)


_Loader.add_constructor("tag:yaml.org,2002:map", _construct_mapping)
_Loader.add_constructor("!number", _construct_number)
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:null|~|)$"), ["n", "~", ""])
_Loader.add_implicit_resolver("!number", re.compile(f"^{_NUMBER.pattern}$"), list("-+0123456789"))


def _check_size(node: yaml.Node, sizes: dict[int, int], depth: int = 0) -> int:
    """The number of values that a node means; an error if there are too many, or if it contains itself."""
    if id(node) in sizes:
        return sizes[id(node)]
    if depth > MAX_DEPTH:
        raise yaml.MarkedYAMLError(problem="a list is nested in itself", problem_mark=node.start_mark)
    children: list[yaml.Node] = []
    if isinstance(node, yaml.MappingNode):
        children = [part for pair in node.value for part in pair]
    elif isinstance(node, yaml.SequenceNode):
        children = node.value
    size = 1
    for child in children:
        size += _check_size(child, sizes, depth + 1)
        if size > MAX_VALUES:
            raise yaml.MarkedYAMLError(
                problem=f"with its aliases it means more than {MAX_VALUES:,} values", problem_mark=child.start_mark
            )
    sizes[id(node)] = size
    return size


class _Dumper(yaml.SafeDumper):
    """Quotes texts that another YAML reader might turn into a boolean or a date."""


def _represent_text(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _represent_text)
_Dumper.add_implicit_resolver("!number", re.compile(f"^{_NUMBER.pattern}$"), list("-+0123456789"))  # so `1e5` is quoted


def loads(text: str, source: str) -> Any:
    r"""Parse YAML; `source` names the text in errors.

    Examples
    --------
    >>> loads("flag: no\nretrieved: 2026-11-20\npoints: [1, 2.5]", "example")
    {'flag': 'no', 'retrieved': '2026-11-20', 'points': [1, 2.5]}
    """
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            _check_size(node, {})
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error)
        if not any(words in problem for words in ("occurs twice", "a key is", "nested", "means more")):
            problem += "; a value that contains `: ` or begins with one of > * & % @ [ { needs quotes around it"
        raise SetupError(f"{source}{line} is not valid YAML: {problem}.") from error
    except ValueError as error:
        raise SetupError(f"{source} contains a number that is too long.") from error


def load(path: Path) -> Any:
    """Parse a YAML file."""
    return loads(read_text(path), f"`{path.name}`")


def read_text(path: Path) -> str:
    """Read a small UTF-8 text file; a failure raises a SetupError."""
    try:
        if path.exists() and not path.is_file():  # reading a pipe or a device may never end
            raise SetupError(f"`{path}` is not a file.")
        if path.stat().st_size > MAX_BYTES:
            raise SetupError(
                f"`{path.name}` is larger than {MAX_BYTES // 1_000_000} MB; settings and prompts are short."
            )
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise SetupError(f"there is no file `{path}`; check the path, which starts from {Path.cwd()}.") from None
    except UnicodeDecodeError as error:
        raise SetupError(f"`{path.name}` is not UTF-8 (byte {error.start}); save it as UTF-8.") from error
    except ValueError:  # from the system, which knows no such paths
        raise SetupError(f"{str(path)!r} is not a path, because it contains a NUL character.") from None
    except OSError as error:
        raise SetupError(f"`{path}` cannot be read: {error.strerror}.") from error


def dumps(value: Any) -> str:
    """The value as YAML in its own order, which any YAML reader can read.

    Examples
    --------
    >>> print(dumps({"flag": "no", "n": 3}), end="")
    flag: 'no'
    n: 3
    """
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def update(text: str, values: dict[str, Any]) -> str:
    r"""YAML with these top-level values in place of its own; comments and the order of the other values stay.

    Examples
    --------
    >>> print(update("# mine\nname: study  # short\nconcurrency: 4\n", {"name": "study", "concurrency": 8}), end="")
    # mine
    name: study  # short
    concurrency: 8
    """
    from ruamel.yaml import YAML  # only a file with comments needs it

    old_values = loads(text, "the file")
    reader = YAML(typ="rt")
    reader.preserve_quotes = True
    reader.width = 110
    tree = reader.load(text) or {}
    for name in [name for name in tree if name not in values]:
        del tree[name]
    for name, value in values.items():
        if name not in tree or old_values.get(name) != value:
            tree[name] = reader.load(dumps({name: value}))[name]
    out = io.StringIO()
    reader.dump(tree, out)
    return out.getvalue()
