"""Find the fields of the record, and the steps, that a template reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from jinja2 import nodes

MAPPING_METHODS = frozenset({"get", "items", "keys", "values"})
"""Methods of a mapping that a template may call."""


def record_fields(trees: Sequence[nodes.Template]) -> frozenset[str]:
    """The fields of the record that parsed templates name, such as `metadata.title`; `metadata.*` means all."""
    fields: set[str] = set()
    for tree in trees:
        inner = {id(node.node) for node in _lookups(tree) if _dotted_path(node)}
        for node in _lookups(tree):
            path = _dotted_path(node)
            if path and path[0] == "record" and id(node) not in inner:
                is_method = path[1] == "metadata" and path[2:3] and path[2] in MAPPING_METHODS
                fields.add("metadata" if is_method else ".".join(path[1:3]))
        if any(_bare_record_uses(tree)):
            fields |= {"metadata", "images"}
    if "metadata" in fields:
        fields.add("metadata.*")
    return frozenset(fields)


def input_steps(trees: Sequence[nodes.Template]) -> frozenset[str]:
    """The steps whose outputs parsed templates name."""
    paths = [path for tree in trees for node in _lookups(tree) if (path := _dotted_path(node))]
    return frozenset(path[1] for path in paths if path[0] == "inputs")


def _dotted_path(node: nodes.Node) -> list[str]:
    """`record.metadata.title` as a list of names; empty if a part is computed."""
    if isinstance(node, nodes.Name):
        return [node.name]
    if isinstance(node, nodes.Getattr):
        parent = _dotted_path(node.node)
        return [*parent, node.attr] if parent else []
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        parent = _dotted_path(node.node)
        return [*parent, str(node.arg.value)] if parent else []
    return []


def _lookups(tree: nodes.Template) -> list[nodes.Getattr | nodes.Getitem]:
    return [*tree.find_all(nodes.Getattr), *tree.find_all(nodes.Getitem)]


def _bare_record_uses(tree: nodes.Template) -> Iterable[bool]:
    """For each name, whether it is `record` used without a field: in a filter, an assignment or a loop."""
    field_lookups = {id(lookup.node) for lookup in _lookups(tree)}
    for name in tree.find_all(nodes.Name):
        yield name.name == "record" and id(name) not in field_lookups
