"""Everything that a project makes is readable by its user alone, also while it is being made."""

import os
import stat
import threading
from pathlib import Path

import pytest

import buttermilk_nb as bm
from buttermilk_nb._internal.private_files import make_private_folder, private_files, restrict
from buttermilk_nb.project import session

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")

OPEN_SETTINGS = ("buttermilk.yaml", ".buttermilk.yaml.")  # they hold no text of a record and no key


@pytest.fixture(autouse=True)
def usual_umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


def readable_by_others(folder):
    """What somebody else could read, by name and mode."""
    found = {}
    paths = [Path(parent) / name for parent, folders, files in os.walk(folder) for name in (*folders, *files)]
    for path in paths:
        try:
            mode = stat.S_IMODE(path.lstat().st_mode)
        except FileNotFoundError:
            continue
        if mode & 0o077 and not path.name.startswith(OPEN_SETTINGS):
            found[path.relative_to(folder).as_posix()] = oct(mode)
    return found


@pytest.fixture
def watched():
    """Collect what others could read in a folder, at any moment until the end of the test."""
    seen, end = {}, threading.Event()

    def watch(folder):
        while not end.is_set():
            seen.update(readable_by_others(folder))

    def start(folder):
        thread = threading.Thread(target=watch, args=[folder])
        thread.start()
        return lambda: (end.set(), thread.join(), seen)[2]

    yield start
    end.set()


def use_everything(folder):
    """Make everything that a project makes in its folder."""
    project = bm.init("study", path=folder, models=["offline/strict"])
    criteria = bm.Criteria("calm", "Is it calm?", flag="no", cues={"no": ["row"]})
    records = [bm.Record(record_id=f"r{n}", content=f"Text {n}. " + "A row. " * 9_000) for n in range(3)]
    run = bm.Flow("tone", [bm.Judge("judge", criteria=criteria)]).run(bm.Corpus(records))
    assert run.counts == {"ok": 3}
    for kind in ("csv", "jsonl", "parquet", "xlsx"):
        project.evidence.export(folder / f"exports-{kind}", format=kind)
    project.evidence.snapshot()
    bm.coding_sheet(bm.Corpus(records), criteria, coder="anna", path=folder / "sheet.xlsx")
    project.evidence.forget(record_id="r0")
    bm.sql("select count(*) from scores, scores, scores")
    return project


def test_what_a_project_makes_is_private_at_every_moment(tmp_path, watched):
    """Also in a folder that others can read, which is the user's own decision."""
    folder = tmp_path / "project"
    folder.mkdir(mode=0o755)
    stop = watched(tmp_path)
    use_everything(folder)
    assert stop() == {"project": "0o755"}
    made = {path.name for path in folder.rglob("*")}
    assert {"traces.duckdb", "cache.db", "events.jsonl", "sheet.xlsx", "results.xlsx", "snapshots"} <= made
    assert os.umask(0o022) == 0o022, "the rule of the process is as it was"


def test_a_folder_that_a_group_shares_is_shared_but_not_with_others(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    folder.chmod(0o2770)
    use_everything(folder)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (folder / "traces.duckdb", folder / "cache" / "cache.db")}
    assert modes == {0o660}
    assert not any(
        stat.S_IMODE(path.stat().st_mode) & 0o007
        for path in folder.rglob("*")
        if not path.name.startswith(OPEN_SETTINGS)
    )


def test_what_an_earlier_version_left_open_is_closed_at_the_next_opening(tmp_path):
    use_everything(tmp_path / "project")
    session.close()
    opened = [tmp_path / "project" / name for name in ("traces.duckdb", "cache", "cache/cache.db", "logs", "exports")]
    for path in opened:
        path.chmod(0o755)
    bm.init("study", path=tmp_path / "project")
    assert [oct(stat.S_IMODE(path.stat().st_mode) & 0o077) for path in opened] == ["0o0"] * 5


def test_blocks_of_several_threads_end_in_any_order(tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o770)
    first, second = private_files(shared), private_files(tmp_path)
    first.__enter__()
    assert mask() == 0o007
    second.__enter__()
    assert mask() == 0o077
    first.__exit__(None, None, None)
    assert mask() == 0o077
    second.__exit__(None, None, None)
    assert mask() == 0o022


def mask():
    current = os.umask(0)
    os.umask(current)
    return current


def test_links_and_missing_files_are_left_alone(tmp_path):
    target = tmp_path / "outside.txt"
    target.write_text("x")
    target.chmod(0o644)
    (tmp_path / "link.txt").symlink_to(target)
    restrict(tmp_path / "link.txt", tmp_path / "nothing.txt")
    assert stat.S_IMODE(target.stat().st_mode) == 0o644
    bm.init("other", path=tmp_path / "c" / "other")
    assert readable_by_others(tmp_path / "c") == {}
    make_private_folder(tmp_path / "a" / "b")
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a", "a/b")] == [0o700, 0o700]
