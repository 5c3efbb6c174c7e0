"""PDF: pages, pages without a text, and files that cannot be read."""

import pytest
from support.documents import make_pdf

import buttermilk_nb as bm


@pytest.fixture
def load(tmp_path):
    def load(data, name="talk.pdf"):
        (tmp_path / name).write_bytes(data)
        return bm.load(tmp_path / name)

    return load


def test_pages_keep_their_numbers_and_an_empty_one_is_rejected(load):
    corpus = load(make_pdf(["One.", "", "Three\nlines."], title="A talk"))
    (record,) = corpus
    assert record.content == "One.\f\fThree\nlines."
    assert (record.metadata["title"], record.metadata["pages"]) == ("A talk", 3)
    assert corpus.rejected[["line", "reason"]].values.tolist() == [
        [2, "page 2 of `talk.pdf` has no text; is it scanned?"]
    ]
    pages = corpus.segment("page")
    assert [(page.metadata["page"], page.content, page.parent_id) for page in pages] == [
        (1, "One.", "talk"), (3, "Three\nlines.", "talk"),
    ]  # fmt: skip


def test_a_scanned_file_says_so(load):
    with pytest.raises(bm.SetupError, match="none of its 2 pages has a text; is it scanned"):
        load(make_pdf(["", ""]))


@pytest.mark.parametrize("data", [b"", b"%PDF-1.4\n", make_pdf(["One."])[:200], b"PK\x03\x04 no pdf"])
def test_a_damaged_file_is_a_sentence(load, data):
    with pytest.raises(bm.SetupError, match=r"`talk.pdf` cannot be read as a PDF: it is damaged, or no PDF\."):
        load(data)


def test_a_locked_file_is_a_sentence(load):
    with pytest.raises(bm.SetupError, match="it needs a password"):
        load(make_pdf(["One."], password=True))
