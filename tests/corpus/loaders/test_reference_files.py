"""References in RIS and BibTeX."""

import pytest
from support.documents import make_pdf

import buttermilk_nb as bm

RIS = """TY  - JOUR
ID  - roth2026
T1  - The harbour
AU  - Roth, Ana
AU  - Li, Wu
N2  - It was closed.
Y1  - 2026
JO  - Tides
L1  - files/roth.pdf
ER  -

TY  - BOOK
TI  - Without an abstract
ER  -

TY  - JOUR
TI  - The tide
AB  - It came in.
DO  - 10.1/x
ER  -
"""
BIB = r"""
@article{roth2026, title={The {H}arbour}, author={Roth, Ana and M{\"u}ller, Wu}, year=2026, abstract={It was
 closed in {\'E}vian.}, file={:files/roth.pdf:PDF}}
@book{empty, title={Without an abstract}}
@article{roth2026, title={Twice}, abstract={x}}
@broken{
"""


def test_abstracts_of_ris_are_texts(tmp_path):
    (tmp_path / "library.ris").write_text(RIS)
    corpus = bm.load(tmp_path / "library.ris")
    assert [(record.record_id, record.content) for record in corpus] == [
        ("roth2026", "It was closed."), ("10.1/x", "It came in."),
    ]  # fmt: skip
    facts = corpus[0].metadata
    assert (facts["title"], facts["authors"], facts["year"], facts["journal"], facts["file"], facts["type"]) == (
        "The harbour", "Roth, Ana; Li, Wu", "2026", "Tides", "files/roth.pdf", "JOUR",
    )  # fmt: skip
    assert corpus.rejected[["line", "reason"]].values.tolist() == [[2, "no text in `abstract`"]]
    assert corpus.provenance["parser"].startswith("rispy ")


def test_abstracts_of_bibtex_are_texts_and_letters_are_letters(tmp_path):
    (tmp_path / "library.bib").write_text(BIB)
    corpus = bm.load(tmp_path / "library.bib")
    (record,) = corpus
    assert (record.record_id, record.content) == ("roth2026", "It was closed in Évian.")
    assert (record.metadata["title"], record.metadata["author"]) == ("The Harbour", "Roth, Ana and Müller, Wu")
    assert corpus.rejected.reason.tolist() == [
        "no text in `abstract`",
        "what begins in line 5 is no whole reference, or gives its key or a field twice",
        "what begins in line 6 is no whole reference, or gives its key or a field twice",
    ]


def test_titles_can_be_the_texts(tmp_path):
    (tmp_path / "library.ris").write_text(RIS)
    assert len(bm.load(tmp_path / "library.ris", content="title")) == 3


@pytest.mark.parametrize("name", ["a.ris", "a.bib"])
@pytest.mark.parametrize("text", ["", "no reference at all"])
def test_a_file_without_references_is_a_sentence(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(bm.SetupError, match=f"`{name}` (has no reference|cannot be read as RIS)"):
        bm.load(tmp_path / name)


@pytest.mark.parametrize(("name", "text"), [("library.ris", RIS), ("library.bib", BIB)])
def test_attached_files_can_be_the_texts(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(bm.SetupError, match="reference 1: there is no attached file `roth.pdf`"):
        bm.load(tmp_path / name, texts="files")
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "roth.pdf").write_bytes(make_pdf(["The whole text."]))
    corpus = bm.load(tmp_path / name, texts="files")
    assert [(record.record_id, record.content) for record in corpus] == [("roth2026", "The whole text.")]
    assert "no document is attached" in set(corpus.rejected.reason)
    with pytest.raises(bm.SetupError, match="texts='pdf': write one of abstracts, files"):
        bm.load(tmp_path / name, texts="pdf")


@pytest.mark.parametrize("path", ["../secret.txt", "/etc/hostname.txt", "file:///etc/hostname.txt", "..%2Fsecret.txt"])
def test_a_file_outside_the_folder_is_not_read(tmp_path, path):
    folder = tmp_path / "library"
    folder.mkdir()
    (tmp_path / "secret.txt").write_text("a secret")
    (folder / "a.ris").write_text(f"TY  - JOUR\nID  - a\nTI  - T\nL1  - {path}\nER  -\n")
    with pytest.raises(bm.SetupError, match=r"txt` is outside the folder of the library\.$"):
        bm.load(folder / "a.ris", texts="files")
