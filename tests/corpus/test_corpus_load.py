"""Loading in the background."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

import buttermilk_nb as bm
from buttermilk_nb.corpus import corpus_load


@pytest.fixture
def interviews(tmp_path):
    docx = pytest.importorskip("docx")
    folder = tmp_path / "interviews"
    folder.mkdir()
    for i in range(40):
        document = docx.Document()
        document.add_paragraph(f"Interview {i}. The harbour was closed.")
        document.save(folder / f"p{i:02}.docx")
    (folder / "p40.docx").write_bytes(b"PK\x03\x04 cut off")
    return folder


def test_the_caller_goes_on_and_gets_the_same_corpus(interviews):
    reading = bm.start_load(str(interviews))
    assert reading.is_running
    corpus = reading.result(60)
    assert corpus.hash == bm.load(interviews).hash
    assert len(corpus) == 40
    assert corpus.rejected.line.tolist() == [41]
    assert "40 records, read in" in repr(reading)
    assert "40 records, read in" in reading._repr_html_()


def test_it_shows_how_far_it_is_and_writes_nothing(interviews, monkeypatch, capsys):
    monkeypatch.setattr("buttermilk_nb._internal.progress_line._EVERY_S", 0.0)
    seen, let_go = [], threading.Event()

    def show(self, line):
        seen.append(line)
        if line.startswith("read 20 of 41 files"):
            let_go.wait(30)

    monkeypatch.setattr(corpus_load.CorpusLoad, "_show", show)
    reading = bm.start_load(interviews)
    with pytest.raises(TimeoutError, match="the load goes on"):
        reading.result(0.3)
    let_go.set()
    assert len(reading.result(60)) == 40
    assert [line.split(",")[0] for line in seen if line.startswith("read")] == [
        f"read {n} of 41 files" for n in range(1, 42)
    ]
    assert capsys.readouterr() == ("", "")


def test_it_can_be_stopped_and_goes_on_where_it_was(interviews, monkeypatch, capsys):
    monkeypatch.setattr("buttermilk_nb._internal.progress_line._EVERY_S", 0.0)
    reading = bm.start_load(interviews)
    deadline = time.monotonic() + 30
    while "read 5" not in repr(reading) and "read 1" not in repr(reading) and time.monotonic() < deadline:
        time.sleep(0.001)
    reading.stop()
    with pytest.raises(bm.SetupError, match="was stopped"):
        reading.result()
    assert "stopped" in repr(reading)
    while any(thread.name == "load" for thread in threading.enumerate()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(bm.load(interviews)) == 40
    assert "of the load that was interrupted need not be read again" in capsys.readouterr().err


def test_errors_are_those_of_load(tmp_path):
    with pytest.raises(bm.SetupError, match="there is no file"):
        bm.start_load(tmp_path / "nowhere.csv")
    with pytest.raises(bm.SetupError, match="did you mean `content`"):
        bm.start_load([{"text": "One."}], contnt="text")
    reading = bm.start_load([{"text": "One."}], content="txt")
    with pytest.raises(bm.SetupError, match="there is no column `txt`"):
        reading.result()
    assert "failed: there is no column `txt`" in repr(reading)


def test_it_can_be_awaited_and_several_run_at_once():
    async def both():
        first, second = bm.start_load(["One."]), bm.start_load([f"Text {i}." for i in range(500)])
        return len(await first), len(await second)

    assert asyncio.run(both()) == (1, 500)


def test_ctrl_c_while_waiting_leaves_the_load(monkeypatch):
    let_go = threading.Event()

    class Slow(list):
        def __iter__(self):
            let_go.wait(30)
            return super().__iter__()

    reading = bm.start_load(Slow([{"text": "One."}]))
    timer = threading.Timer(0.5, lambda: __import__("signal").raise_signal(2))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        reading.result()
    assert reading.is_running
    let_go.set()
    assert len(reading.result(30)) == 1
