"""The order of the house, and what importing it must never do."""

import ast
import functools
import json
import subprocess
import sys
from pathlib import Path

import pytest

import buttermilk_nb as bm

PACKAGE = Path(bm.__file__).parent
SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if "_shipped" not in path.parts)


@functools.cache
def trees():
    """Every module's syntax tree, by path."""
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}


LAYERS = (
    "errors",
    "_internal",
    "schema config",
    "events",
    "corpus",
    "codebook",
    "llm",
    "store",
    "analysis project",
    "agents human_coding",
    "flows",
    "notebook",
    "cli",
    "__init__ __main__",
)
LAYER = {name: n for n, names in enumerate(LAYERS) for name in names.split()}

LAZY = {
    "buttermilk_nb": "loading the notebook extension imports the notebook",
    "buttermilk_nb.cli": "`--help` must not wait for pandas",
    "buttermilk_nb.notebook": "loading the extension imports each widget when it is first shown",
}
"""Where a function may import this package's own modules, and why."""

KIND_FOLDERS = {"loaders", "exporters", "importers", "providers", "embeddings", "plots", "cli"}
"""Folders with a file for each kind, named by that kind: `excel.py` reads in one and writes in the other."""


def module_of(path):
    inside = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(("buttermilk_nb", *(inside[:-1] if inside[-1] == "__init__" else inside)))


MODULES = {module_of(path): path for path in SOURCES}


def top(module):
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def imports_of(path):
    """Every own module that a file imports, with its line and whether a function does: also for types, also late."""
    package = module_of(path) if path.stem == "__init__" else module_of(path).rpartition(".")[0]

    def targets(node):
        if isinstance(node, ast.Import):
            return [alias.name for alias in node.names]
        if node.level:
            parts = package.split(".")
            base = ".".join([*parts[: len(parts) - node.level + 1], *([node.module] if node.module else [])])
        else:
            base = node.module or ""
        named = [f"{base}.{alias.name}" for alias in node.names]
        return [name if name in MODULES else base for name in named]

    def walk(node, in_function):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import | ast.ImportFrom):
                for target in targets(child):
                    if target in MODULES and target != module_of(path):
                        yield child.lineno, target, in_function
            inner = in_function or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from walk(child, inner)

    yield from walk(trees()[path], False)


@functools.cache
def imports():
    """Every import of own modules, by path."""
    return {path: list(imports_of(path)) for path in SOURCES}


def place(path, line):
    return f"{path.relative_to(PACKAGE).as_posix()}:{line}"


def test_every_folder_and_module_at_the_root_has_a_layer():
    assert {top(module_of(path)) for path in SOURCES} == set(LAYER)


def test_imports_point_down():
    upward = [
        f"{place(path, line)} imports {target}"
        for path in SOURCES
        for line, target, _ in imports()[path]
        if LAYER[top(target)] > LAYER[top(module_of(path))] and target != "buttermilk_nb"  # which holds the version
    ]
    assert upward == []


def circles(edges):
    """The groups of modules that import each other (Tarjan's strongly connected components)."""
    index, low, stack, on_stack, groups = {}, {}, [], set(), []

    def visit(name):
        index[name] = low[name] = len(index)
        stack.append(name)
        on_stack.add(name)
        for other in edges[name]:
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in on_stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            at = stack.index(name)
            group = stack[at:]
            del stack[at:]
            on_stack.difference_update(group)
            if len(group) > 1:
                groups.append(sorted(group))

    for name in edges:
        if name not in index:
            visit(name)
    return groups


def test_no_modules_import_each_other_in_a_circle():
    edges = {module_of(path): {target for _, target, _ in imports()[path]} for path in SOURCES}
    assert circles(edges) == []


def test_no_folders_import_each_other_in_a_circle():
    edges = {}
    for path in SOURCES:
        own = top(module_of(path))
        edges.setdefault(own, set()).update(top(target) for _, target, _ in imports()[path] if top(target) != own)
    edges["__init__"] = set()  # the root loads everything
    for targets in edges.values():
        targets.discard("__init__")
    assert circles(edges) == []


def test_the_finder_of_circles_finds_them():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]
    assert circles({"a": {"b"}, "b": {"c"}, "c": set()}) == []


def test_functions_import_own_modules_only_where_lazy_loading_is_the_purpose():
    late = {module_of(path) for path in SOURCES if any(in_function for _, _, in_function in imports()[path])}
    assert {name for name in late if name.removesuffix("." + name.rpartition(".")[2]) != "buttermilk_nb.cli"} <= set(
        LAZY
    )


def test_no_two_modules_have_one_name():
    seen = {}
    for path in SOURCES:
        if path.stem not in ("__init__", "__main__", "base", "notes") and path.parent.name not in KIND_FOLDERS:
            seen.setdefault(path.stem, []).append(module_of(path))
    assert {name: modules for name, modules in seen.items() if len(modules) > 1} == {}


def test_no_two_classes_have_one_name():
    seen = {}
    for path in SOURCES:
        for node in ast.walk(trees()[path]):
            if isinstance(node, ast.ClassDef):
                seen.setdefault(node.name.lstrip("_"), []).append(module_of(path))
    assert {name: modules for name, modules in seen.items() if len(modules) > 1} == {}


LONGEST = 320
LONG = {
    "buttermilk_nb.corpus.corpus": "a constructor for each format, with the parameters of all formats",
    "buttermilk_nb.schema": "a row model for each table, and nothing else",
}
"""Modules that may be longer, and why."""


def test_no_module_is_longer_than_a_few_pages():
    lengths = {module_of(path): path.read_text(encoding="utf-8").count("\n") for path in SOURCES}
    assert {name for name, length in lengths.items() if length > LONGEST} == set(LONG)


def test_no_module_has_a_name_that_pytest_collects():
    assert [path.name for path in SOURCES if path.name.startswith("test_")] == []


def called(tree):
    """Names that are called or imported: `eval`, `time.sleep`, `pickle`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func)
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


FORBIDDEN = {"eval", "exec", "compile", "__import__", "time.sleep", "os.system"}
FORBIDDEN_ROOTS = {"pickle", "cloudpickle", "dill", "marshal", "shelve", "joblib", "nest_asyncio"}


def test_nothing_unpickles_evaluates_or_sleeps():
    wrong = [
        f"{place(path, line)} uses {name}"
        for path in SOURCES
        for line, name in called(trees()[path])
        if name in FORBIDDEN or FORBIDDEN_ROOTS & set(name.split("."))
    ]
    assert wrong == []


def fresh(code, cwd):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=cwd, check=True)
    return json.loads(done.stdout)


HEAVY = [
    "litellm",
    "IPython",
    "ipywidgets",
    "anywidget",
    "matplotlib",
    "scipy",
    "fastapi",
    "pandas",
    "numpy",
    "duckdb",
    "pydantic",
    "diskcache",
]


def test_importing_the_package_loads_nothing_heavy_and_makes_nothing(tmp_path):
    code = f"""
import sys, json, threading, logging
before = len(logging.getLogger().handlers), threading.active_count()
import buttermilk_nb
dir(buttermilk_nb), buttermilk_nb.__version__
after = len(logging.getLogger().handlers), threading.active_count()
print(json.dumps([[name for name in {HEAVY!r} if name in sys.modules], before == after]))
"""
    assert fresh(code, tmp_path) == [[], True]
    assert list(tmp_path.iterdir()) == []


def test_using_every_public_name_loads_neither_litellm_nor_a_notebook(tmp_path):
    code = """
import sys, json
import buttermilk_nb as bm
for name in bm.__all__:
    getattr(bm, name)
heavy = ["litellm", "IPython", "ipywidgets", "anywidget", "matplotlib", "scipy", "fastapi", "pandas"]
print(json.dumps([name for name in heavy if name in sys.modules]))
"""
    assert fresh(code, tmp_path) == []
    assert list(tmp_path.iterdir()) == []


STUB = ast.parse((PACKAGE / "__init__.pyi").read_text(encoding="utf-8"))
LISTED = {alias.asname for node in STUB.body if isinstance(node, ast.ImportFrom) for alias in node.names}


def test_all_is_sorted_and_every_name_resolves():
    assert bm.__all__ == sorted(bm.__all__)
    assert len(set(bm.__all__)) == len(bm.__all__)
    for name in bm.__all__:
        assert getattr(bm, name) is not None


def test_the_stub_is_the_one_list_of_public_names():
    assert set(bm.__all__) == LISTED | {"__version__"}


def test_dir_shows_public_names_only(tmp_path):
    code = "import json, buttermilk_nb as bm; bm.Judge, bm.errors; print(json.dumps([dir(bm), bm.__all__]))"
    shown, public = fresh(code, tmp_path)
    assert [name for name in shown if name not in public] == []
    assert [name for name in public if name not in shown] == []


def test_no_module_bears_a_public_name(tmp_path):
    code = """
import json, pkgutil, importlib
import buttermilk_nb as bm
for module in pkgutil.walk_packages(bm.__path__, "buttermilk_nb."):
    importlib.import_module(module.name)
print(json.dumps([name for name in bm.__all__ if type(getattr(bm, name)).__name__ == "module"]))
"""
    assert fresh(code, tmp_path) == ["errors"]


def test_a_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nonsense"):
        bm.nonsense  # noqa: B018


def test_every_module_opens_with_a_docstring():
    assert [place(path, 1) for path in SOURCES if not ast.get_docstring(trees()[path])] == []


def test_every_error_is_in_the_tree_and_stays_catchable():
    from buttermilk_nb import errors

    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, BaseException)]
    for kind in kinds:
        assert issubclass(kind, bm.ButtermilkError | KeyboardInterrupt), kind
        assert kind.__name__ in (errors.__doc__ or ""), kind
    assert bm.SetupError("a.")._render_traceback_() == ["SetupError: a."]


WAITS = {"asyncio.timeout", "asyncio.timeout_at", "timeout", "wait_for"}


def each(kind):
    """Every node of a kind in the package, with its place and the text of its line."""
    for path in SOURCES:
        lines = path.read_text(encoding="utf-8").splitlines()
        for node in ast.walk(trees()[path]):
            if isinstance(node, kind):
                yield node, place(path, node.lineno), lines[node.lineno - 1]


def is_number(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool)


def is_nothing(node):
    """`pass`, `...` or a text of its own."""
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def test_nothing_in_the_package_sleeps():
    sleeps = [
        where
        for node, where, _ in each(ast.Call | ast.ImportFrom)
        if (isinstance(node, ast.Call) and ast.unparse(node.func) == "time.sleep")
        or (isinstance(node, ast.ImportFrom) and node.module == "time" and "sleep" in ast.unparse(node))
    ]
    assert sleeps == []


def test_no_failure_is_caught_and_passed_over():
    assert [where for node, where, _ in each(ast.ExceptHandler) if all(map(is_nothing, node.body))] == []


def test_what_is_suppressed_says_why_on_its_line():
    calls = [(node, where, line) for node, where, line in each(ast.Call) if ast.unparse(node.func).endswith("suppress")]
    assert calls, "nothing is suppressed any more: this test checks nothing"
    assert [where for _, where, line in calls if "#" not in line] == []


def test_every_time_limit_has_a_name():
    literal = [
        f"{where}: {ast.unparse(keyword)}"
        for node, where, _ in each(ast.Call)
        for keyword in node.keywords
        if keyword.arg in ("timeout", "timeout_s") and is_number(keyword.value)
    ]
    literal += [
        f"{where}: {ast.unparse(node)}"
        for node, where, _ in each(ast.Call)
        if ast.unparse(node.func).rpartition("asyncio.")[2] in WAITS and any(map(is_number, node.args))
    ]
    assert literal == []
