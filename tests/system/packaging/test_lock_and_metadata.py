"""The lock fits pyproject.toml, the versions agree, and no file names a place that only its author has."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from support.paths import ROOT

import buttermilk_nb

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PROJECT = PYPROJECT["project"]
LOCK = (ROOT / "requirements.lock").read_text("utf-8")
REGENERATE = "regenerate requirements.lock with the command that CONTRIBUTING.md gives"

# A character that may precede a path inside a longer one, or inside a URL.
_INSIDE = r"(?<![\w.:~}>*/\\-])"
REGISTRY = re.compile(r"pythonhosted\.org|\bpypi\.org|https?://[^\s\"'<>]+/simple(?=[/\s\"'<>`)]|$)", re.IGNORECASE)
_INVENTED = r"(?!(?:m|me|metoo|someone)\b)"  # whom examples and tests live with
MACHINE_PATH = re.compile(
    rf"{_INSIDE}/(?:home|Users)/{_INVENTED}\w|{_INSIDE}/(?:root|work)/|\b[A-Z]:\\{{1,2}}Users\\{{1,2}}{_INVENTED}\w"
)
TEMPORARY_PATH = re.compile(rf"{_INSIDE}/(?:tmp|var/folders)/")


def required() -> list[Requirement]:
    """Return the core requirements, those of every extra and those of every group, without the package itself."""
    texts = list(PROJECT["dependencies"])
    for more in (PROJECT["optional-dependencies"], PYPROJECT["dependency-groups"]):
        texts += [text for group in more.values() for text in group]
    own_name = canonicalize_name(PROJECT["name"])
    return [need for need in map(Requirement, texts) if canonicalize_name(need.name) != own_name]


def pins() -> dict[str, list[Version]]:
    """Return every locked name with its versions (several where they depend on Python's version)."""
    found: dict[str, list[Version]] = {}
    for line in LOCK.split("\n"):
        if line and not line.startswith((" ", "#")):
            pin = Requirement(line.removesuffix("\\"))
            (specifier,) = pin.specifier
            assert specifier.operator == "==", f"`{line}` is not pinned"
            found.setdefault(canonicalize_name(pin.name), []).append(Version(specifier.version))
    return found


def own_files() -> list[Path]:
    """Return the files of the repository, added or about to be, that git does not ignore."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: git knows which files are the repository's (`git clone` gives one)")
    listed = subprocess.run(
        ["git", "ls-files", "-co", "-z", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    paths = [ROOT / name for name in listed.stdout.decode("utf-8").split("\0") if name]
    return [path for path in paths if path.is_file()]


@pytest.mark.parametrize("need", required(), ids=str)
def test_the_lock_pins_every_requirement_inside_its_range(need: Requirement):
    versions = pins().get(canonicalize_name(need.name), [])
    assert versions, f"`{need.name}` is not in the lock: {REGENERATE}"
    outside = [str(version) for version in versions if not need.specifier.contains(version, prereleases=True)]
    assert not outside, f"`{need}` is locked at {outside}: {REGENERATE}"


@pytest.mark.parametrize("name", ["requirements.lock", "binder/requirements.txt"])
def test_a_lock_holds_hashes_for_everything_and_no_address(name: str):
    lock = (ROOT / name).read_text("utf-8")
    assert "://" not in lock
    entries = re.split(r"^(?=\S)", lock, flags=re.MULTILINE)
    assert [entry for entry in entries if entry and "--hash=sha256:" not in entry] == []


def test_no_file_names_a_package_registry_or_a_path_of_one_machine():
    found = []
    for path in own_files():
        text = path.read_bytes().decode("utf-8", errors="ignore")
        patterns = [REGISTRY, MACHINE_PATH]
        if path.suffix == ".ipynb":
            patterns.append(TEMPORARY_PATH)
            text = text.replace("\\n", "  ")  # JSON's line ends would look like a letter before a path
        for pattern in patterns:
            for hit in pattern.finditer(text):
                line = text.count("\n", 0, hit.start()) + 1
                found.append(f"{path.relative_to(ROOT).as_posix()}:{line}: {hit.group()}")
    assert found == []


@pytest.mark.parametrize(
    ("pattern", "parts"),
    [
        (REGISTRY, ("files.python", "hosted.org")),
        (REGISTRY, ("https://packages.example/", "simple")),
        (REGISTRY, ("index = 'https://packages.example/a/", "simple/'")),
        (MACHINE_PATH, ("/ho", "me/ann/study")),
        (MACHINE_PATH, ('"/ro', 'ot/.cache"')),
        (MACHINE_PATH, ("at /wo", "rk/main")),
        (MACHINE_PATH, ("C:", "\\Users\\ann")),
        (MACHINE_PATH, ('"C:', '\\\\Users\\\\ann"')),
        (TEMPORARY_PATH, ("/t", "mp/ipykernel_1/1.py")),
    ],
)
def test_the_patterns_find_what_they_are_for(pattern: re.Pattern[str], parts: tuple[str, str]):
    assert pattern.search("".join(parts))


@pytest.mark.parametrize(
    "harmless",
    ["https://example.org/home/page", "https://example.org/simpler", "a home/work/life question", "~/work/study"],
)
def test_the_patterns_leave_addresses_and_relative_paths_alone(harmless: str):
    assert not any(pattern.search(harmless) for pattern in (REGISTRY, MACHINE_PATH, TEMPORARY_PATH))


def test_the_version_is_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    newest = re.search(r"^## (\S+) - (\d{4}-\d\d-\d\d)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert newest is not None, "CHANGELOG.md has no line `## VERSION - DATE`"
    assert buttermilk_nb.__version__ == PROJECT["version"] == citation["version"] == newest[1]
    assert str(citation["date-released"]) == newest[2]


def test_the_licence_is_bsd_3_clause_everywhere():
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert text.startswith("BSD 3-Clause License\n")
    assert "Neither the name of the copyright holder" in text
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert PROJECT["license"] == citation["license"] == "BSD-3-Clause"
