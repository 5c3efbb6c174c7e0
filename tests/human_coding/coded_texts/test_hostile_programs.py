"""Damaged and hostile files of other programs end in a sentence or as rejected codes; nothing is written."""

from __future__ import annotations

import io
import json
import random
import zipfile

import pytest
from support.coded_study import CRITERIA, TEXTS, corpus

import buttermilk_nb as bm

BOMB = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 9))
ENTITIES = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">{BOMB}]>'
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
CATMA = '<TEI xmlns="http://www.tei-c.org/ns/1.0"><!-- CATMA --><title>&l8;&f;</title></TEI>'
XMI = '<xmi:XMI xmlns:xmi="http://www.omg.org/XMI" xmlns:cas="http:///uima/cas.ecore">&l8;&f;</xmi:XMI>'
QDE = '<Project xmlns="urn:QDA-XML:project:1.0" name="&l8;&f;"/>'


@pytest.fixture(autouse=True)
def project(offline_project):
    return offline_project


def qdpx(xml, **parts):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("project.qde", xml)
        for name, data in parts.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def refused(tmp_path, name, data, **options):
    """The sentence with which a file is refused; what it leaves on disk is nothing."""
    folder = tmp_path / "given"
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(data)
    before = sorted(path for path in tmp_path.rglob("*") if "store" not in path.parts)
    with pytest.raises(bm.SetupError) as caught:
        bm.import_labels(folder / name, corpus(), CRITERIA, coder="ana", **options)
    assert sorted(path for path in tmp_path.rglob("*") if "store" not in path.parts) == before
    assert bm.labels().empty
    return str(caught.value)


@pytest.mark.parametrize(("name", "xml"), [("a.xml", CATMA), ("a.xmi", XMI), ("a.qdpx", QDE)])
@pytest.mark.parametrize("declared", [ENTITIES, OUTSIDE], ids=["bomb", "file"])
def test_entities_are_refused(tmp_path, name, xml, declared):
    text = (declared + xml).encode()
    sentence = refused(tmp_path, name, qdpx(text) if name.endswith("qdpx") else text)
    assert "declares entities of its own, which are not read" in sentence or "cannot be read as XML" in sentence
    assert "root:" not in sentence


def test_a_project_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("buttermilk_nb.corpus.loaders.documents.zip_package.MAX_UNPACKED_BYTES", 10_000)
    data = qdpx("<Project/>", **{"sources/x.txt": b"0" * 20_000})
    assert "would unpack to more than" in refused(tmp_path, "bomb.qdpx", data)


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.qdpx", b"PK\x03\x04 no zip", "cannot be read as a project of REFI-QDA"),
        ("a.qdpx", b"no zip", "cannot be read as a project of REFI-QDA"),
        ("a.qdpx", qdpx("<Project>"), "cannot be read as XML"),
        ("a.json", b'{"%TYPES": {}, "%FEATURE_STRUCTURES": [{"%ID": 1}]}', "cannot be read as a UIMA CAS"),
        ("a.json", b'{"%TYPES": ', "cannot be read as a UIMA CAS"),
        ("a.xmi", b'<xmi:XMI xmlns:xmi="http://www.omg.org/XMI" a="uima"/>', "needs the `TypeSystem.xml` of its"),
        ("user_state.json", b"[1]", "is no state of a person in Potato"),
        ("user_state.json", b"{", "cannot be read as JSON"),
        ("a.xml", b"<other/>", "is no file of a program that is known"),
        ("a.tar.gz", b"no tar", "cannot be read as a tar file"),
    ],
)  # fmt: skip
def test_what_is_damaged_or_something_else_is_a_sentence(tmp_path, name, data, sentence):
    assert sentence in refused(tmp_path, name, data)


def test_an_empty_folder_and_a_file_without_a_coder_are_sentences(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(bm.SetupError, match="the folder `empty` has no file with codes"):
        bm.import_labels(tmp_path / "empty", corpus(), CRITERIA)
    (tmp_path / "a.ann").write_text("T1\tinsult 0 4\tThey", encoding="utf-8")
    with pytest.raises(bm.SetupError, match=r'`a.ann` does not name the coder; write coder="kf"'):
        bm.import_labels(tmp_path / "a.ann", corpus(), CRITERIA)


def seeds():
    """A small file of each program, by name."""
    task = {"id": 1, "data": {"text": TEXTS["a"]}, "annotations": [{"completed_by": 1, "result": [
        {"from_name": "insult", "type": "labels", "value": {"start": 0, "end": 4, "labels": ["yes"]}}]}]}  # fmt: skip
    state = {"user_id": "ana", "instance_id_to_label_to_value": {"a": {"insult": {"yes": "true"}}},
             "instance_id_to_span_to_value": {"a": {"insult": [{"start": 0, "end": 4, "label": "yes"}]}}}  # fmt: skip
    responses = {"insult": [{"value": [{"start": 0, "end": 4, "label": "yes"}], "user_id": "u"}]}
    argilla = {"id": "a", "fields": {"text": TEXTS["a"]}, "responses": responses}
    prodigy = {"text": TEXTS["a"], "_input_hash": 1, "spans": [{"start": 0, "end": 4, "label": "insult"}]}
    doccano = {"id": "a", "text": TEXTS["a"], "label": [[0, 4, "insult"]], "Comments": []}
    potato = {"user_id": "ana", "instance_id": "a", "labels": {"insult": {"yes": True}}, "spans": []}
    return {
        "a.ann": b"T1\tinsult 0 4;5 6\tThey\nA1\tHow T1 much\n#1\tAnnotatorNotes T1\tnote\n*\tEquiv T1 T2\n",
        "a.tsv": b"#FORMAT=WebAnno TSV 3.3\n#T_SP=webanno.custom.Mark|kind\n\n#Text=They are\n"
                 b"1-1\t0-4\tThey\tinsult[1]|x[2]\t\n1-2\t5-8\tare\t*[1]\t\n",
        "a.xml": b'<TEI><!-- CATMA --><fsDecl type="T"><fsDescr>insult</fsDescr></fsDecl><seg ana="#A">'
                 b'<ptr target="catma://x#char=0,4"/></seg><fs xml:id="A" type="T"/></TEI>',
        "tasks.json": json.dumps([task]).encode(), "user_state.json": json.dumps(state).encode(),
        "argilla.json": json.dumps([argilla]).encode(), "prodigy.jsonl": json.dumps(prodigy).encode(),
        "doccano.jsonl": json.dumps(doccano).encode(), "potato.jsonl": json.dumps(potato).encode(),
        "a.qdpx": qdpx('<Project><Users><User guid="u" name="ana"/></Users><CodeBook><Codes><Code guid="c" '
                       'name="insult"/></Codes></CodeBook><Sources><TextSource name="a"><PlainTextContent>They are'
                       '</PlainTextContent><PlainTextSelection startPosition="0" endPosition="4"><Coding '
                       'creatingUser="u"><CodeRef targetGUID="c"/></Coding></PlainTextSelection></TextSource></Sources>'
                       "</Project>"),
    }  # fmt: skip


@pytest.mark.parametrize("name", seeds())
def test_cut_off_and_changed_files_never_end_in_a_raw_error(tmp_path, name):
    """Cut at many places, and with bytes and JSON values changed: a sentence, or codes that are checked."""
    seed = seeds()[name]
    rng = random.Random(name)
    variants = [seed[: len(seed) * n // 7] for n in range(7)]
    for _ in range(60):
        data = bytearray(seed)
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(len(data))] = rng.choice(b'\0{}[]"<>\t\n 09ax\xff')
        variants.append(bytes(data))
    if name.endswith((".json", ".jsonl")):
        variants += [json.dumps(changed(json.loads(seed), rng)).encode() for _ in range(80)]
    n_read, sentences = 0, []
    for n, data in enumerate(variants):
        file = tmp_path / str(n) / name
        file.parent.mkdir()
        file.write_bytes(data)
        try:
            found = bm.import_labels(file, corpus(), CRITERIA, coder="ana", preview=True)
        except bm.ButtermilkError as error:
            sentences.append(str(error))
        else:
            n_read += 1
            repr(found)
    assert n_read
    assert [sentence for sentence in sentences if sentence.rstrip()[-1:] not in ".?`)"] == []
    assert bm.labels().empty


def changed(value, rng):
    """A JSON value with one of its parts replaced by something else."""
    if isinstance(value, dict) and value and rng.random() < 0.8:
        key = rng.choice(sorted(value))
        return {**value, key: changed(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.8:
        place = rng.randrange(len(value))
        return [*value[:place], changed(value[place], rng), *value[place + 1 :]]
    return rng.choice([None, 7, -1, 1.5, True, "", "x", [], {}, [[]], [None], {"a": 1}, 10**30])
