"""REFI-QDA: projects and codebooks, as this package writes them and as other programs do."""

from __future__ import annotations

import zipfile

import pytest
from support.coded_study import CODES, CRITERIA, MARKS, TEXTS, corpus, place, stored_codes

import buttermilk_nb as bm

GUID = "00000000-0000-4000-8000-{:012d}".format


@pytest.fixture(autouse=True)
def project(offline_project):
    return offline_project


def other_program(path, *, text_a=None):
    """A project as another program writes it: nested codes, rich texts beside plain ones, a PDF, a picture, notes."""
    codes = {("insult",): 1, ("emotion",): 2, ("emotion", "fear"): 3, ("emotion", "anger"): 4, ("heat",): 5,
             ("heat", "2"): 6}  # fmt: skip
    users = {"ana": 11, "ben": 12}

    def selection(n, record_id, coder, code_path, words):
        start, end = place(record_id, words)
        return (
            f'<PlainTextSelection guid="{GUID(100 + n)}" name="x" startPosition="{start}" endPosition="{end}" '
            f'creatingUser="{GUID(users[coder])}"><Coding guid="{GUID(200 + n)}" creatingUser="{GUID(users[coder])}">'
            f'<CodeRef targetGUID="{GUID(codes[code_path])}"/>'
            + (f'<NoteRef targetGUID="{GUID(90)}"/>' if n == 0 else "")
            + "</Coding></PlainTextSelection>"
        )

    def selections(record_id):
        return "".join(
            selection(n, r, coder, path_, words)
            for n, (r, coder, path_, _, words) in enumerate(MARKS)
            if r == record_id
        )

    xml = (
        '<?xml version="1.0" encoding="utf-8"?><Project xmlns="urn:QDA-XML:project:1.0" name="study" origin="X 1.0">'
        f'<Users><User guid="{GUID(11)}" name="ana" id="AN"/><User guid="{GUID(12)}" name="ben"/></Users>'
        f'<CodeBook><Codes><Code guid="{GUID(1)}" name="insult" isCodable="true"><Description>An insult.</Description>'
        f'</Code><Code guid="{GUID(2)}" name="emotion" isCodable="true"><Code guid="{GUID(3)}" name="fear" '
        f'isCodable="true"/><Code guid="{GUID(4)}" name="anger" isCodable="true"/></Code><Code guid="{GUID(5)}" '
        f'name="heat" isCodable="true"><Code guid="{GUID(6)}" name="2" isCodable="true"/></Code></Codes></CodeBook>'
        f'<Sources><TextSource guid="{GUID(21)}" name="a" richTextPath="internal://{GUID(21)}.docx" '
        f'plainTextPath="internal://{GUID(31)}.txt">{selections("a")}</TextSource>'
        f'<PDFSource guid="{GUID(22)}" name="b" path="internal://{GUID(22)}.pdf"><PDFSelection guid="{GUID(41)}" '
        'page="1" firstX="0" firstY="0" secondX="9" secondY="9"/>'
        f'<Representation guid="{GUID(32)}" plainTextPath="internal://{GUID(32)}.txt">{selections("b")}'
        f'</Representation></PDFSource><TextSource guid="{GUID(23)}" name="far" plainTextPath="absolute:///etc/passwd">'
        f'<Coding guid="{GUID(300)}"><CodeRef targetGUID="{GUID(1)}"/></Coding></TextSource>'
        f'<PictureSource guid="{GUID(24)}" name="photo" path="internal://x.png"/></Sources>'
        f'<Notes><Note guid="{GUID(90)}" name="memo" plainTextPath="internal://{GUID(33)}.txt"/></Notes></Project>'
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("project.qde", xml)
        archive.writestr(f"Sources/{GUID(31)}.txt", (text_a or TEXTS["a"]).encode())
        archive.writestr(f"Sources/{GUID(32)}.txt", TEXTS["b"].encode())
        archive.writestr(f"Sources/{GUID(33)}.txt", "Read it aloud.")
    return path


def test_the_codes_of_another_program_s_project_are_read(tmp_path):
    found = bm.import_labels(other_program(tmp_path / "study.qdpx"), corpus(), CRITERIA)
    assert found.rejected.problem.tolist() == ["its text is outside of the file, and is not read"]
    assert stored_codes() == CODES
    notes = bm.labels().dropna(subset="notes").set_index(["coder", "criterion"]).notes
    assert notes.to_dict() == {("ana", "insult"): "Read it aloud."}
    assert "1 selection (`PDFSelection`) left out: only passages of texts are read." in found.remarks


def test_the_texts_of_a_project_are_a_corpus(tmp_path):
    texts = bm.load(other_program(tmp_path / "study.qdpx"))
    assert {record.record_id: record.content for record in texts} == {name: TEXTS[name] for name in "ab"}
    assert texts.rejected.reason.tolist() == [
        "its text is outside of the file, and is not read", "it is a PictureSource without a text"
    ]  # fmt: skip
    assert "can be imported with bm.import_labels" in repr(texts)
    assert texts.provenance["parser"].startswith("lxml ")


def test_places_follow_a_text_whose_white_space_differs(tmp_path):
    study = other_program(tmp_path / "study.qdpx", text_a=TEXTS["a"] + "\n\n")
    bm.import_labels(study, corpus(), CRITERIA)
    assert stored_codes() == CODES
    shorter = bm.Corpus([bm.Record(record_id="a", content=" ".join(TEXTS["a"].split()))])
    bm.init("shorter", path=tmp_path / "shorter")
    bm.import_labels(other_program(tmp_path / "again.qdpx"), shorter, CRITERIA)
    words = bm.highlights().set_index(["coder", "criterion"]).text
    assert words["ben", "insult"] == "They 😀 are vermin."
    assert words["ana", "insult"] == "vermin"


def test_a_project_that_is_written_is_read_by_another_library(tmp_path):
    from pyrefiqda import RefiProject

    bm.import_labels(other_program(tmp_path / "study.qdpx"), corpus(), CRITERIA)
    file = bm.export_labels(tmp_path / "ours.qdpx", corpus(), CRITERIA)
    project = RefiProject.load(file, extract_dir=tmp_path / "unpacked")
    assert [user.name for user in project.users.user] == ["ana", "ben"]
    tree = {code.name: [inner.name for inner in code.code] for code in project.code_book.codes.code}
    assert tree == {"insult": ["yes", "no"], "emotion": ["fear", "anger"], "heat": ["1", "2", "3", "4", "5"]}
    sources = {source.name: source for source in project.sources.text_source}
    assert list(sources) == list(TEXTS)
    for name, source in sources.items():
        path = tmp_path / "unpacked" / "sources" / source.plain_text_path.removeprefix("internal://")
        assert path.read_bytes().decode() == TEXTS[name]
    passages = {(s.name, TEXTS[s.name][p.start_position : p.end_position]) for s in sources.values()
                for p in s.plain_text_selection}  # fmt: skip
    assert passages == {(record_id, words) for record_id, _, _, _, words in MARKS} | {("a", "[hate] it_all")}


def test_the_same_codes_give_the_same_bytes(tmp_path):
    bm.import_labels(other_program(tmp_path / "study.qdpx"), corpus(), CRITERIA)
    first, second = (bm.export_labels(tmp_path / name / "p.qdpx", corpus(), CRITERIA) for name in folders(tmp_path))
    assert first.read_bytes() == second.read_bytes()


def folders(folder):
    for name in ("one", "two"):
        (folder / name).mkdir()
        yield name


@pytest.mark.parametrize("ending", ["qdc", "qdpx"])
def test_a_code_tree_becomes_criteria(tmp_path, ending):
    write = other_program if ending == "qdpx" else CRITERIA.to_file
    file = write(tmp_path / f"codes.{ending}")
    criteria = bm.Criteria.from_file(file)
    scales = {criterion.name: criterion.scale.shorthand for criterion in criteria}
    heat = "labels: 2" if ending == "qdpx" else "labels: 1 | 2 | 3 | 4 | 5"
    assert scales == {"insult": "yes/no", "emotion": "labels: fear | anger", "heat": heat}
    assert criteria["insult"].definition == ("An insult." if ending == "qdpx" else "Does it insult?")
    assert criteria.source == file.name
    assert criteria.reload() == criteria


def test_criteria_are_written_as_a_file_once(tmp_path):
    file = CRITERIA.to_file(tmp_path / "tone.md")
    assert bm.Criteria.from_file(file).criteria_hash == CRITERIA.criteria_hash
    with pytest.raises(bm.SetupError, match=r"`tone.md` exists already; choose another name"):
        CRITERIA.to_file(file)
    with pytest.raises(bm.SetupError, match=r"criteria are written as .md, or their codes as .qdc"):
        CRITERIA.to_file(tmp_path / "tone.docx")
    with pytest.raises(bm.SetupError, match="cannot be written: No such file or directory"):
        CRITERIA.to_file(tmp_path / "nowhere" / "tone.md")


@pytest.mark.parametrize(
    ("xml", "sentence"),
    [
        ('<CodeBook xmlns="urn:QDA-XML:codebook:1.0"><Codes/></CodeBook>', "has no code"),
        ("<html/>", "is XML, but no codebook of REFI-QDA: its first element is `html`"),
        ('<CodeBook><Codes><Code name=" " guid="x"/></Codes></CodeBook>', "a criterion needs a name"),
        ('<CodeBook><Codes><Code name="a"/><Code name="a" guid="y"/></Codes></CodeBook>', "two criteria have the same"),
        ("<CodeBook><Codes>", "cannot be read as XML"),
    ],
)  # fmt: skip
def test_a_codebook_that_cannot_be_criteria_is_a_sentence(tmp_path, xml, sentence):
    (tmp_path / "codes.qdc").write_text(xml, encoding="utf-8")
    with pytest.raises(bm.SetupError, match=sentence):
        bm.Criteria.from_file(tmp_path / "codes.qdc")
