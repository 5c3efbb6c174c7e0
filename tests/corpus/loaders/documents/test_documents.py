"""All kinds of documents: alone, in a folder, in a zip; cut off, hostile, or without their package."""

import zipfile

import pytest
from support.documents import make_docx, make_epub, make_odt, make_pdf, zip_bomb

import buttermilk_nb as bm
from buttermilk_nb.corpus.loaders import READERS
from buttermilk_nb.corpus.loaders.documents import DOCUMENT_READERS

FILES = {
    "word.docx": make_docx(lambda document: document.add_paragraph("Word.")),
    "open.odt": make_odt(lambda body, odfdo: body.append(odfdo.Paragraph("Open."))),
    "rich.rtf": rb"{\rtf1\ansi\ansicpg1252 Rich \u8220?caf\'e9\u8221? \u55357?\u56832?.\par}",
    "pages.pdf": make_pdf(["Pages."]),
    "web.html": b"<html><body><p>Web.</p></body></html>",
    "book.epub": make_epub(["<p>Book.</p>"]),
    "mail.eml": b"Subject: x\n\nMail.\n",
    "plain.txt": "Plain, “café”.".encode(),
    "mark.md": b"# Mark\n\nDown.",
    "tei.xml": b"<TEI><text><p>Tei.</p></text></TEI>",
}
TEXTS = {
    "word": "Word.", "open": "Open.", "rich": "Rich “café” \N{GRINNING FACE}.",
    "pages": "Pages.", "web": "Web.", "book": "Book.",
    "mail": "Mail.", "plain": "Plain, “café”.", "mark": "# Mark\n\nDown.",
    "tei": "Tei.",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "texts"
    made.mkdir()
    for name, data in FILES.items():
        (made / name).write_bytes(data)
    return made


def problems_and_corpus(path):
    try:
        return (), bm.load(path)
    except bm.SetupError as error:
        return error.problems, None


def test_every_kind_of_document_has_a_case_here():
    assert {name.rpartition(".")[2] for name in FILES} | {"htm", "xhtml", "markdown"} == {
        ending[1:] for ending in DOCUMENT_READERS
    }


@pytest.mark.parametrize("name", FILES)
def test_a_single_file_is_a_record(folder, name):
    corpus = bm.load(folder / name)
    (record,) = corpus
    assert (record.record_id, record.content) == (name.partition(".")[0], TEXTS[name.partition(".")[0]])
    assert corpus.provenance["sha256"]
    assert corpus.provenance["file"] == name


def test_a_folder_of_all_kinds_is_one_corpus_and_a_zip_of_it_the_same(folder, tmp_path):
    corpus = bm.load(folder)
    assert {record.record_id: record.content for record in corpus} == TEXTS
    assert len(corpus.rejected) == 0
    with zipfile.ZipFile(tmp_path / "texts.zip", "w") as archive:
        for name, data in FILES.items():
            archive.writestr(name, data)
    again = bm.load(tmp_path / "texts.zip")
    assert {record.record_id: record.content for record in again} == TEXTS
    assert any(parser.startswith("python-docx ") for parser in again.provenance["parsers"])


def test_one_bad_file_of_a_folder_costs_no_other(folder):
    (folder / "bad.docx").write_bytes(b"PK\x03\x04 no document")
    (folder / "scan.pdf").write_bytes(make_pdf([""]))
    corpus = bm.load(folder)
    assert len(corpus) == len(FILES)
    assert corpus.rejected.reason.tolist() == [
        "`bad.docx` cannot be read as a document of Word: it is damaged, or something else",
        "`scan.pdf`: none of its 1 pages has a text; is it scanned? Recognise its text first (OCR)",
    ]


def test_a_folder_of_bad_files_alone_says_what_is_wrong_with_them(tmp_path):
    (tmp_path / "bad.docx").write_bytes(b"nothing")
    with pytest.raises(bm.SetupError, match=r"^file 1: `bad.docx` cannot be read as a document of Word"):
        bm.load(tmp_path)


@pytest.mark.parametrize("name", [name for name in FILES if name not in ("plain.txt", "mark.md", "mail.eml")])
def test_a_file_that_is_cut_off_anywhere_is_a_sentence_or_says_so(folder, name):
    data = FILES[name]
    for share in (0.1, 0.3, 0.5, 0.7, 0.9, 0.99):
        (folder / name).write_bytes(data[: int(len(data) * share)])
        problems, corpus = problems_and_corpus(folder / name)
        if corpus is None:
            assert len(problems) == 1
            assert name in problems[0]
        else:
            assert name.endswith((".html", ".pdf")) or "cut off" in "".join(corpus.remarks)


@pytest.mark.parametrize("name", ["bomb.docx", "bomb.odt", "bomb.epub"])
def test_a_bomb_is_not_unpacked(tmp_path, name):
    part = {"bomb.docx": "word/document.xml", "bomb.odt": "content.xml", "bomb.epub": "META-INF/container.xml"}[name]
    (tmp_path / name).write_bytes(zip_bomb(part))
    with pytest.raises(bm.SetupError, match="would unpack to more than 500 MB, and is not opened"):
        bm.load(tmp_path / name)


@pytest.mark.parametrize("name", ["open.odt", "book.epub"])
def test_entities_are_neither_read_nor_fetched(folder, name, tmp_path):
    (tmp_path / "secret").write_text("a secret")
    entity = f'<!DOCTYPE x [<!ENTITY e SYSTEM "file://{tmp_path}/secret">]>'.encode()
    part = {"open.odt": "content.xml", "book.epub": "OEBPS/book.opf"}[name]
    with zipfile.ZipFile(folder / name) as archive:
        parts = {item: archive.read(item) for item in archive.namelist()}
    body = parts[part].partition(b"?>")[2] if parts[part].startswith(b"<?xml") else parts[part]
    parts[part] = entity + body.replace(b"The harbour", b"&e;").replace(b"Open.", b"&e;")
    with zipfile.ZipFile(folder / name, "w") as archive:
        for item, data in parts.items():
            archive.writestr(item, data)
    with pytest.raises(bm.SetupError, match="declares entities of its own"):
        bm.load(folder / name)


def test_an_entity_in_a_document_of_word_is_not_read(folder, tmp_path):
    (tmp_path / "secret").write_text("a secret")
    with zipfile.ZipFile(folder / "word.docx") as archive:
        parts = {item: archive.read(item) for item in archive.namelist()}
    entity = f'<!DOCTYPE x [<!ENTITY e SYSTEM "file://{tmp_path}/secret">]>'.encode()
    body = parts["word/document.xml"].partition(b"?>")[2].replace(b"Word.", b"Word. &e;")
    parts["word/document.xml"] = entity + body
    with zipfile.ZipFile(folder / "word.docx", "w") as archive:
        for item, data in parts.items():
            archive.writestr(item, data)
    (record,) = bm.load(folder / "word.docx")
    assert "secret" not in record.content


@pytest.mark.parametrize(
    ("name", "module", "package"),
    [
        ("word.docx", "docx", "python-docx"), ("open.odt", "lxml", "lxml"), ("rich.rtf", "striprtf", "striprtf"),
        ("pages.pdf", "pypdfium2", "pypdfium2"), ("web.html", "trafilatura", "trafilatura"),
    ],
)  # fmt: skip
def test_a_missing_package_is_named_with_its_extra(folder, name, module, package, monkeypatch):
    import sys

    for known in [known for known in sys.modules if known.split(".")[0] == module]:
        monkeypatch.delitem(sys.modules, known)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(bm.SetupError, match=rf'`{name}` needs {package}, which is not installed: pip install "butt'):
        bm.load(folder / name)


def test_files_without_a_reader_say_what_to_do(tmp_path):
    for name, hint in {"a.doc": "save it as .docx", "a.mp3": "make a transcript", "a.xyz": "you can load .csv"}.items():
        (tmp_path / name).write_bytes(b"x")
        with pytest.raises(bm.SetupError, match=f"no loader for `.{name[2:]}`; {hint}"):
            bm.load(tmp_path / name)
    assert ".docx" in READERS


def test_options_are_those_of_the_format(folder):
    with pytest.raises(bm.SetupError, match=r"\.pdf has no option `comments`"):
        bm.load(folder / "pages.pdf", comments=True)
    assert len(bm.load(folder / "word.docx", comments=True)) == 1
