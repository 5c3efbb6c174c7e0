"""`Sandbox`: the environment of prompt templates, which read plain data within limits.

A prompt file may come from somebody else, so a template gets no object with methods. It reads texts, numbers, lists,
mappings and views, whose fields are listed here, and everything that is not listed does not exist for it. The sandbox
of Jinja works the other way round: it forbids some attributes and lets the rest through, such as a method of pydantic
that unpickles its argument.

Its limits of time and size are in `template_limits`.
"""

from __future__ import annotations

from functools import lru_cache, partial
from types import BuiltinMethodType
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateRuntimeError, TemplateSyntaxError, Undefined, meta, nodes
from jinja2.runtime import LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment, safe_range
from jinja2.utils import Cycler, Joiner, Namespace
from jinja2.visitor import NodeTransformer

from ...corpus.image import Image
from ...corpus.record import RecordView
from ...errors import nearest
from .template_fields import MAPPING_METHODS
from .template_filters import FILTERS, TEXT_FUNCTIONS, make_dict
from .template_limits import check_items, check_operands, check_time, print_value
from .template_values import TemplateView

_TOO_DEEP = "it is nested too deeply"

_TEXT_METHODS = frozenset(
    {"capitalize", "count", "endswith", "find", "isdigit", "join", "lower", "lstrip", "removeprefix", "removesuffix",
     "replace", "rsplit", "rstrip", "split", "splitlines", "startswith", "strip", "title", "upper"}
)  # fmt: skip
_LOOP_FIELDS = frozenset(
    {"changed", "cycle", "depth", "depth0", "first", "index", "index0", "last", "length", "nextitem", "previtem",
     "revindex", "revindex0"}
)  # fmt: skip
_INDEXED = (dict, list, tuple, str, TemplateView)
_CYCLER_FIELDS = frozenset({"current", "next", "reset"})
_IMAGE_FIELDS = frozenset({"mime", "name"})


def parse(source: str) -> nodes.Template:
    """Parse a template.

    Raises
    ------
    TemplateSyntaxError
        It is not a valid template, or is nested too deeply.
    """
    try:
        return ENVIRONMENT.parse(source)
    except (RecursionError, MemoryError):
        raise TemplateSyntaxError(_TOO_DEEP, 1) from None


@lru_cache(maxsize=256)
def variables_of(source: str) -> frozenset[str]:
    """The names that a template reads and does not set itself; see `parse` for its errors."""
    return frozenset(meta.find_undeclared_variables(parse(source)))


def _fields_of(obj: Any) -> frozenset[str]:
    """The attributes of an object of Jinja, and of an image, that a template may read."""
    if isinstance(obj, LoopContext):
        return _LOOP_FIELDS
    if isinstance(obj, Image):
        return _IMAGE_FIELDS
    if isinstance(obj, Cycler):
        return _CYCLER_FIELDS
    if isinstance(obj, Namespace):
        return frozenset(name for name in obj._Namespace__attrs if not name.startswith("_"))
    return frozenset()


class _AddChecks(NodeTransformer):
    """Adds the checks of time and size to a parsed template."""

    def visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> Any:
        self.generic_visit(node)
        if isinstance(node, nodes.For | nodes.Macro | nodes.CallBlock):
            node.body = [nodes.ExprStmt(_call("check_time"), lineno=node.lineno), *node.body]
        if isinstance(node, nodes.List | nodes.Dict) or (isinstance(node, nodes.Tuple) and node.ctx == "load"):
            return _call("check_items", node)
        return _concat_with_plus(node) if isinstance(node, nodes.Concat) else node


def _concat_with_plus(node: nodes.Concat) -> nodes.Expr:
    """`a ~ b` as `a|string + b|string`, because `+` checks the size."""
    result, *others = [nodes.Filter(part, "string", [], [], None, None) for part in node.nodes]
    total: nodes.Expr = result
    for part in others:
        total = nodes.Add(total, part, lineno=node.lineno)
    return total


def _call(name: str, *arguments: nodes.Expr) -> nodes.Call:
    return nodes.Call(nodes.EnvironmentAttribute(name), list(arguments), [], None, None)


_GLOBALS = {"range": safe_range, "namespace": Namespace, "dict": make_dict, "cycler": Cycler, "joiner": Joiner}
_FUNCTIONS = (*_GLOBALS.values(), check_time, check_items)


class Sandbox(ImmutableSandboxedEnvironment):
    """An environment in which a template can reach only what is listed in this module."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})
    check_time = staticmethod(check_time)
    check_items = staticmethod(check_items)

    def __init__(self) -> None:
        super().__init__(
            undefined=StrictUndefined,
            autoescape=False,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=False,
            finalize=print_value,
            optimized=False,  # a constant expression has the same limits as any other
        )
        self.filters = {**FILTERS, "attr": self.getattr}
        self.globals = dict(_GLOBALS)

    def getattr(self, obj: Any, attribute: str) -> Any:
        if type(obj) is RecordView:  # the most frequent look-up
            if attribute in RecordView.__slots__:
                return getattr(obj, attribute)
        elif isinstance(obj, dict):
            if attribute in obj:
                return obj[attribute]
            if attribute in MAPPING_METHODS:
                return getattr(obj, attribute)
        elif isinstance(obj, TemplateView):
            return self._view_field(obj, attribute)
        elif isinstance(obj, str):
            if attribute in TEXT_FUNCTIONS:
                return partial(TEXT_FUNCTIONS[attribute], obj)
            if attribute in _TEXT_METHODS:
                return getattr(obj, attribute)
        elif attribute in _fields_of(obj):
            return getattr(obj, attribute)
        return self.undefined(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(argument, str) and not isinstance(obj, dict):
            return self.getattr(obj, argument)
        try:
            return obj[argument] if isinstance(obj, _INDEXED) else self.undefined(obj=obj, name=argument)
        except (TypeError, LookupError):
            return self.undefined(obj=obj, name=argument)

    def is_safe_callable(self, obj: Any) -> bool:
        if isinstance(obj, Macro | LoopContext | Joiner | Undefined):  # calling what is undefined is its own error
            return True
        if isinstance(obj, partial):
            return obj.func in TEXT_FUNCTIONS.values()
        if any(obj is function for function in _FUNCTIONS):
            return True
        owner, name = getattr(obj, "__self__", None), getattr(obj, "__name__", "")
        if isinstance(obj, BuiltinMethodType):
            return (isinstance(owner, str) and name in _TEXT_METHODS) or (
                isinstance(owner, dict) and name in MAPPING_METHODS
            )
        return isinstance(owner, LoopContext | Cycler) and name in _fields_of(owner)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "%" and isinstance(left, str):
            raise TemplateRuntimeError("`%` does not fill in a text; join texts with `~`")
        check_operands(operator, left, right)
        return super().call_binop(context, operator, left, right)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree: nodes.Template = _AddChecks().visit(super()._parse(source, name, filename))
        tree.set_environment(self)
        return tree

    def _view_field(self, view: TemplateView, name: str) -> Any:
        if name in view.fields:
            return view.fields[name]
        return self.undefined(f"`{view.kind}` has no field `{name}`; {nearest(name, view.fields)}")


ENVIRONMENT = Sandbox()


@lru_cache(maxsize=256)
def compile_template(source: str) -> Template:
    """Compile a template; see `parse` for its errors."""
    try:
        template = ENVIRONMENT.from_string(source)
    except (RecursionError, MemoryError, SyntaxError):
        raise TemplateSyntaxError(_TOO_DEEP, 1) from None
    template.globals = dict(template.globals)  # otherwise a ChainMap, which takes longer than the rendering
    return template
