"""The order of the house, and what importing it must never do."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import buttermilk_nb as bm

PACKAGE = Path(bm.__file__).parent
SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if "_shipped" not in path.parts)
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}

FLOORS = (
    "errors _aio _ids _html _views _yaml _text _declared _secrets _markdown _collector",
    "records images corpus loaders scales criterion criteria prompts messages traces events segments kinship loading "
    "looking parting model_settings redaction edge_cases",
    "settings keys key_places places limits spending cache logs bus store",
    "llm analysis imports exports forgetting",
    "keeping project embedding catalogue",
    "coding",
    "agents",
    "flows",
    "notebook cli",
)
FLOOR = {name: floor for floor, names in enumerate(FLOORS) for name in names.split()}


def parts_of(path):
    inside = path.relative_to(PACKAGE).with_suffix("").parts
    return inside[:-1] if inside[-1] == "__init__" else inside


def top(path):
    return parts_of(path)[0]


class Imports(ast.NodeVisitor):
    """The modules of this package that a module imports, TYPE_CHECKING blocks excepted."""

    def __init__(self, path):
        self.package = parts_of(path) if path.stem == "__init__" else parts_of(path)[:-1]
        self.found = []

    def visit_If(self, node):  # ast's name
        if "TYPE_CHECKING" in ast.dump(node.test):
            for part in node.orelse:
                self.visit(part)
        else:
            self.generic_visit(node)

    def visit_ImportFrom(self, node):  # ast's name
        if node.level:
            base = self.package[: len(self.package) - node.level + 1]
            inside = (*base, *(node.module or "").split(".")) if node.module else base
            names = [inside[0]] if inside else [alias.name for alias in node.names]
            self.found += [(node.lineno, name) for name in names]
        elif (node.module or "").partition(".")[0] == "buttermilk_nb":
            self.found.append((node.lineno, (node.module or "").partition(".")[2].partition(".")[0]))

    def visit_Import(self, node):  # ast's name
        self.found += [
            (node.lineno, alias.name.split(".")[1]) for alias in node.names if alias.name.startswith("buttermilk_nb.")
        ]


INNER = [path for path in SOURCES if path != PACKAGE / "__init__.py"]


def test_every_module_has_a_floor():
    assert {top(path) for path in INNER} == set(FLOOR)


@pytest.mark.parametrize("path", INNER, ids=lambda path: ".".join(parts_of(path)))
def test_imports_point_down(path):
    seen = Imports(path)
    seen.visit(TREES[path])
    upward = [
        f"line {line}: {top(path)} (floor {FLOOR[top(path)]}) imports {name} (floor {FLOOR.get(name, '?')})"
        for line, name in seen.found
        if name in FLOOR and FLOOR[name] > FLOOR[top(path)]
    ]
    assert upward == []


def test_modules_of_one_floor_never_import_each_other_in_a_circle():
    edges = {}
    for path in INNER:
        seen = Imports(path)
        seen.visit(TREES[path])
        edges.setdefault(top(path), set()).update(name for _, name in seen.found if name != top(path))
    placed = set()
    while len(placed) < len(edges):
        ready = {name for name in edges if name not in placed and edges[name] & set(FLOOR) <= placed}
        assert ready, f"a circle among {sorted(set(edges) - placed)}"
        placed |= ready


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


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: ".".join(parts_of(path)) or "buttermilk_nb")
def test_nothing_unpickles_evaluates_or_sleeps(path):
    wrong = [
        (line, name)
        for line, name in called(TREES[path])
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


def test_all_is_sorted_and_every_name_resolves():
    assert bm.__all__ == sorted(bm.__all__)
    assert len(set(bm.__all__)) == len(bm.__all__)
    for name in bm.__all__:
        assert getattr(bm, name) is not None
        assert name in dir(bm)


def test_all_is_what_the_table_of_homes_and_type_checkers_say():
    tree = TREES[PACKAGE / "__init__.py"]
    block = next(node for node in tree.body if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test))
    typed = {alias.name for node in block.body for alias in node.names}
    assert set(bm.__all__) == typed | {"__version__"} == set(bm._HOME) | {"__version__"}


def test_no_module_bears_a_public_name(tmp_path):
    modules = {
        path.stem if path.name != "__init__.py" else path.parent.name for path in INNER if len(parts_of(path)) == 1
    }
    assert not modules & set(bm.__all__)
    code = """
import json, pkgutil, importlib
import buttermilk_nb as bm
for module in pkgutil.walk_packages(bm.__path__, "buttermilk_nb."):
    importlib.import_module(module.name)
print(json.dumps([name for name in bm.__all__ if type(getattr(bm, name)).__name__ == "module"]))
"""
    assert fresh(code, tmp_path) == []


def test_a_name_that_there_is_not_is_an_attribute_error():
    with pytest.raises(AttributeError, match="`buttermilk_nb` has no attribute `nonsense`"):
        bm.nonsense  # noqa: B018


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: ".".join(parts_of(path)) or "buttermilk_nb")
def test_every_module_opens_with_a_docstring(path):
    assert ast.get_docstring(TREES[path])


def test_every_error_is_in_the_tree_and_stays_catchable():
    from buttermilk_nb import errors

    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, BaseException)]
    for kind in kinds:
        assert issubclass(kind, bm.ButtermilkError | KeyboardInterrupt), kind
        assert kind.__name__ in (errors.__doc__ or ""), kind
    assert bm.SetupError("a.")._render_traceback_() == ["SetupError: a."]
