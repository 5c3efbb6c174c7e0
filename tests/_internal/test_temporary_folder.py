"""What a killed process was making is removed by the next one, and what a living one makes is left alone."""

import os
import sys
import time

import pytest

import buttermilk_nb as bm
from buttermilk_nb._internal.temporary_folder import remove_leftovers, temporary_folder

HOLD = """
import sys, time
from pathlib import Path
from buttermilk_nb._internal.temporary_folder import temporary_folder
with temporary_folder(Path(sys.argv[1])) as folder:
    (folder / "half.csv").write_text("half")
    print(folder, flush=True)
    time.sleep(600)
"""


def partial(folder):
    return sorted(path.name for path in folder.glob(".*.partial"))


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_a_killed_export_is_swept_by_the_next_and_a_living_one_is_not(tmp_path, start_script):
    killed, living = start_script(HOLD, tmp_path / "a"), start_script(HOLD, tmp_path / "b")
    assert killed.stdout.readline()
    assert living.stdout.readline()
    assert len(partial(tmp_path)) == 2
    killed.kill()
    killed.wait()
    with temporary_folder(tmp_path / "c") as folder:
        assert folder.is_dir()
        assert [name[:3] for name in partial(tmp_path)] == [".b.", ".c."]
    living.kill()
    living.wait()
    remove_leftovers(tmp_path)
    assert partial(tmp_path) == []


def test_a_folder_without_a_lock_is_only_removed_when_it_is_old(tmp_path):
    folder = tmp_path / ".x.012345678901.partial"
    folder.mkdir()
    remove_leftovers(tmp_path)
    assert folder.exists(), "its maker may just have begun"
    os.utime(folder, (time.time() - 100_000,) * 2)
    remove_leftovers(tmp_path)
    assert not folder.exists()


def test_opening_a_project_sweeps_what_was_left_in_it(tmp_path, start_script):
    project = bm.init("study", path=tmp_path / "project", models=["offline/strict"])
    project.store.select("select 1")
    folder = project.folder
    name = project.store.path.name
    leftovers = [f".{name}.0.fresh", f"..{name}.0.fresh.1.part", f".{name}.2.part.wal", f".{name}.3.new"]
    for leftover in leftovers:
        (project.store.path.parent / leftover).write_bytes(b"a text of somebody")
    export = start_script(HOLD, folder / "exports.xlsx")
    assert export.stdout.readline()
    export.kill()
    export.wait()
    bm.init("study", path=folder)
    assert [path.name for path in folder.rglob("*") if path.name in leftovers or "partial" in path.name] == []
    assert project.store.select("select 1 as n").n.item() == 1


MAKE = """
import sys
from pathlib import Path
from buttermilk_nb._internal.temporary_folder import temporary_folder
for n in range(400):
    with temporary_folder(Path(sys.argv[1]) / f"t{n}") as folder:
        (folder / "a").write_text("x")
        assert folder.is_dir()
print("made")
"""


def test_no_sweeper_takes_what_a_living_process_makes(tmp_path, start_script):
    maker = start_script(MAKE, tmp_path)
    while maker.poll() is None:
        remove_leftovers(tmp_path)
    out, problems = maker.communicate()
    assert out == "made\n", problems
