"""A load of many documents that was interrupted goes on where it stopped, and leaves nothing behind when it ends."""

from __future__ import annotations

import pytest
from support.documents import make_docx

import buttermilk_nb as bm
from buttermilk_nb.corpus.loaders import interrupted_load, text_folders


def make(text):
    return make_docx(lambda document: document.add_paragraph(text))


@pytest.fixture
def reads(monkeypatch):
    """The names of the documents that are parsed; the one called `stop` interrupts, once."""
    names = []
    reader = text_folders._READERS[".docx"]

    def read(data, name, *, notes=True, comments=False):
        if name == "stop.docx" and name not in names:
            names.append(name)
            raise KeyboardInterrupt
        names.append(name)
        return reader(data, name, notes=notes, comments=comments)

    monkeypatch.setitem(text_folders._READERS, ".docx", read)
    yield names
    interrupted_load.forget_documents()


def test_what_was_read_before_a_stop_is_not_read_again(tmp_path, reads, capsys):
    for name in ("a", "b", "stop", "z"):
        (tmp_path / f"{name}.docx").write_bytes(make(f"This is {name}."))
    with pytest.raises(KeyboardInterrupt):
        bm.load(tmp_path)
    assert reads == ["a.docx", "b.docx", "stop.docx"]
    corpus = bm.load(tmp_path)
    assert reads[3:] == ["stop.docx", "z.docx"]
    assert [record.content for record in corpus] == ["This is a.", "This is b.", "This is stop.", "This is z."]
    assert "2 documents of the load that was interrupted need not be read again" in capsys.readouterr().err
    assert interrupted_load.n_documents() == 0


def test_a_file_that_changed_or_another_option_is_read_anew(tmp_path, reads):
    for name in ("a", "b", "stop"):
        (tmp_path / f"{name}.docx").write_bytes(make(f"This is {name}."))
    with pytest.raises(KeyboardInterrupt):
        bm.load(tmp_path)
    (tmp_path / "a.docx").write_bytes(make("Another one."))
    assert bm.load(tmp_path)[0].content == "Another one."
    assert reads[3:] == ["a.docx", "stop.docx"]
