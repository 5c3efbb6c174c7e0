"""Electronic books."""

import pytest
from support.documents import make_epub

import buttermilk_nb as bm
from buttermilk_nb.corpus.loaders.documents.epub import read


def test_chapters_are_read_in_their_order(tmp_path):
    (tmp_path / "book.epub").write_bytes(make_epub(["<h1>One</h1><p>First.</p>", "<h1>Two</h1><p>Second.</p>"]))
    corpus = bm.load(tmp_path / "book.epub")
    (record,) = corpus
    assert record.content == "# One\n\nFirst.\n\n# Two\n\nSecond."
    assert (record.metadata["title"], record.metadata["author"]) == ("The harbour", "A. Roth")
    sections = corpus.segment("heading")
    assert [(part.metadata["heading"], part.content) for part in sections] == [("One", "First."), ("Two", "Second.")]


def test_a_locked_book_is_a_sentence():
    with pytest.raises(bm.SetupError, match="is locked"):
        read(make_epub(["<p>x</p>"], encrypted=True), "book.epub")


def test_a_book_of_pictures_is_a_sentence():
    with pytest.raises(bm.SetupError, match="has no text; its pages may be pictures"):
        read(make_epub(["<img src='a.png'/>"]), "book.epub")


def test_a_chapter_outside_the_book_is_not_read():
    with pytest.raises(bm.SetupError, match="has no text"):
        read(make_epub(["<p>One.</p>"], folder="../../../../etc"), "book.epub")
