"""The files of other programs: the same study from each of them gives the same codes, coders and passages."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from itertools import pairwise

import pandas as pd
import pytest
from support.coded_study import (
    CODES,
    CRITERIA,
    MARKS,
    TEXTS,
    corpus,
    place,
    place_in_utf_16,
    stored_codes,
    utf_16,
)

import buttermilk_nb as bm

PAIRS = list(dict.fromkeys((record_id, coder) for record_id, coder, *_ in MARKS))


@pytest.fixture(autouse=True)
def project(offline_project):
    return offline_project


def marks(record_id, coder):
    return [(path, words) for r, c, path, _, words in MARKS if (r, c) == (record_id, coder)]


def brat(folder):
    for record_id, coder in PAIRS:
        (folder / coder).mkdir(exist_ok=True)
        lines = []
        for n, (path, words) in enumerate(marks(record_id, coder), 1):
            start, end = place(record_id, words)
            kind = "/".join(path)
            lines.append(f"T{n}\t{kind} {start} {end}\t{' '.join(words.split())}")
        (folder / coder / f"{record_id}.ann").write_text("\n".join(lines), encoding="utf-8")
        (folder / coder / f"{record_id}.txt").write_bytes(TEXTS[record_id].encode())
    return folder


def cassis_file(record_id, coder):
    import cassis

    types = cassis.TypeSystem()
    kind = types.create_type("webanno.custom.Mark", "uima.tcas.Annotation")
    for name in ("insult", "emotion", "heat", "comment"):
        types.create_feature(kind, name, "uima.cas.String")
    cas = cassis.Cas(types)
    cas.sofa_string, cas.sofa_mime = TEXTS[record_id], "text/plain"
    for path, words in marks(record_id, coder):
        start, end = place(record_id, words)
        cas.add(kind(begin=start, end=end, **{path[0]: path[1] if len(path) > 1 else "yes"}))
    return cas, types


def inception_json(folder):
    for record_id, coder in PAIRS:
        target = folder / "annotation" / f"{record_id}.txt"
        target.mkdir(parents=True, exist_ok=True)
        (target / f"{coder}.json").write_text(cassis_file(record_id, coder)[0].to_json(), encoding="utf-8")
        (target / "INITIAL_CAS.json").write_text("{}", encoding="utf-8")
    (folder / "exportedproject.json").write_text("{}", encoding="utf-8")
    return folder


def inception_xmi(folder):
    for record_id, coder in PAIRS:
        target = folder / "annotation" / f"{record_id}.txt"
        target.mkdir(parents=True, exist_ok=True)
        cas, types = cassis_file(record_id, coder)
        (target / f"{coder}.xmi").write_text(cas.to_xmi(), encoding="utf-8")
        (target / "TypeSystem.xml").write_text(types.to_xml(), encoding="utf-8")
    return folder


def webanno(folder):
    """WebAnno TSV as INCEpTION writes it, for the layer of another project: tokens by blanks, stacked annotations."""
    for record_id, coder in PAIRS:
        text = TEXTS[record_id]
        spans = [(*place(record_id, words), path) for path, words in marks(record_id, coder)]
        lines = ["#FORMAT=WebAnno TSV 3.3", "#T_SP=de.tudarmstadt.ukp.dkpro.core.api.lexmorph.type.pos.POS|PosValue",
                 "#T_SP=webanno.custom.Mark|question|kind", "#T_RL=webanno.custom.Link|why|BT_webanno.custom.Mark", "",
                 ""]  # fmt: skip
        cuts = sorted({0, len(text), *(c for start, end, _ in spans for c in (start, end)),
                       *(i for i, sign in enumerate(text) if sign.isspace()),
                       *(i + 1 for i, sign in enumerate(text) if sign.isspace())})  # fmt: skip
        lines.append("#Text=" + escape_text(text))
        for n, (start, end) in enumerate(pairwise(cuts), 1):
            if not text[start:end].strip():
                continue
            here = [(i, path) for i, (first, last, path) in enumerate(spans, 1) if first <= start and end <= last]
            cells = ["NN", "_", "_", "_", "_"]
            if here:
                cells[1] = "|".join(f"{path[0]}[{i}]" for i, path in here)
                cells[2] = "|".join(f"{path[1] if len(path) > 1 else 'yes'}[{i}]" for i, path in here)
            at = f"{utf_16(text[:start])}-{utf_16(text[:end])}"
            lines.append("\t".join([f"1-{n}", at, escape_token(text[start:end]), *cells, ""]))
        target = folder / "annotation" / f"{record_id}.txt"
        target.mkdir(parents=True, exist_ok=True)
        (target / f"{coder}.tsv").write_bytes("\n".join([*lines, ""]).encode())
    return folder


def escape_text(text):
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")


def escape_token(text):
    return "".join(f"\\{sign}" if sign in "\\[]|_;*" else sign for sign in text)


def catma(folder):
    for record_id, coder in PAIRS:
        text, target = TEXTS[record_id], folder / record_id
        target.mkdir(exist_ok=True)
        declared, segments, annotations = [], [], []
        for n, (path, words) in enumerate(marks(record_id, coder)):
            start, end = place_in_utf_16(record_id, words)
            above = f' baseTypes="CATMA_T{n}"' if len(path) > 1 else ""
            if above:
                declared.append(f'<fsDecl xml:id="CATMA_T{n}" type="CATMA_T{n}"><fsDescr>{path[0]}</fsDescr></fsDecl>')
            declared.append(
                f'<fsDecl xml:id="CATMA_S{n}" type="CATMA_S{n}"{above}><fsDescr>{path[-1]}</fsDescr></fsDecl>'
            )
            half = (start + end) // 2  # CATMA cuts a passage where another one begins
            for first, last in ((start, half), (half, end)):
                segments.append(
                    f'<seg ana="#CATMA_A{n}"><ptr target="catma://CATMA_D#char={first},{last}" type="inclusion"/></seg>'
                )
            annotations.append(
                f'<fs xml:id="CATMA_A{n}" type="CATMA_S{n}"><f name="catma_markupauthor"><string>{coder}</string></f>'
                "</fs>"
            )
        (target / f"{coder}.xml").write_text(
            '<?xml version="1.0"?><TEI xmlns="http://www.tei-c.org/ns/1.0"><teiHeader><fileDesc><titleStmt>'
            f"<title>{coder}</title></titleStmt></fileDesc><encodingDesc><fsdDecl>{''.join(declared)}</fsdDecl>"
            f'</encodingDesc></teiHeader><text><body><ab type="catma">{"".join(segments)}<ptr '
            f'target="catma://CATMA_D#char=0,{utf_16(text)}" type="inclusion"/></ab></body>'
            f"{''.join(annotations)}</text></TEI>",
            encoding="utf-8",
        )
    return folder


def label_studio(folder):
    tasks = []
    for n, (record_id, text) in enumerate(TEXTS.items(), 1):
        annotations = []
        for coder in dict.fromkeys(c for r, c in PAIRS if r == record_id):
            results = []
            for path, words in marks(record_id, coder):
                start, end = place_in_utf_16(record_id, words)
                value = {"start": start, "end": end, "text": words, "labels": [path[-1]]}
                results.append({"from_name": "marks", "to_name": "text", "type": "labels", "value": value})
            annotations.append({"completed_by": {"email": coder}, "result": results})
        tasks.append({"id": n, "data": {"record_id": record_id, "text": text}, "annotations": annotations})
    (folder / "export.json").write_text(json.dumps(tasks), encoding="utf-8")
    return folder / "export.json"


def doccano(folder):
    with zipfile.ZipFile(folder / "doccano.zip", "w") as archive:
        for coder in ("ana", "ben"):
            rows = []
            for record_id, text in TEXTS.items():
                spans = [[*place(record_id, words), path[-1]] for path, words in marks(record_id, coder)]
                rows.append(json.dumps({"id": 1, "record_id": record_id, "text": text, "label": spans, "Comments": []}))
            archive.writestr(f"{coder}.jsonl", "\n".join(rows))
    return folder / "doccano.zip"


def doccano_entities(folder):
    for coder in ("ana", "ben"):
        rows = []
        for record_id, text in TEXTS.items():
            entities = [{"id": n, "label": path[-1], "start_offset": place(record_id, words)[0],
                         "end_offset": place(record_id, words)[1]}
                        for n, (path, words) in enumerate(marks(record_id, coder))]  # fmt: skip
            rows.append(json.dumps({"id": record_id, "text": text, "entities": entities, "relations": []}))
        (folder / f"{coder}.jsonl").write_text("\n".join(rows), encoding="utf-8")
    return folder


def prodigy(folder):
    rows = []
    for record_id, coder in PAIRS:
        spans = [{"start": place(record_id, words)[0], "end": place(record_id, words)[1], "label": path[-1]}
                 for path, words in marks(record_id, coder)]  # fmt: skip
        rows.append({"text": TEXTS[record_id], "meta": {"id": record_id}, "_input_hash": 1, "spans": spans,
                     "answer": "accept", "_annotator_id": coder})  # fmt: skip
    (folder / "prodigy.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return folder / "prodigy.jsonl"


def argilla(folder):
    rows = []
    for record_id, text in TEXTS.items():
        answers = [
            {"value": [{"start": place(record_id, words)[0], "end": place(record_id, words)[1], "label": path[-1]}
                       for path, words in marks(record_id, coder)], "user_id": coder}
            for coder in dict.fromkeys(c for r, c in PAIRS if r == record_id)
        ]  # fmt: skip
        rows.append({"id": record_id, "fields": {"text": text}, "responses": {"marks": answers}, "suggestions": {}})
    (folder / "records.json").write_text(json.dumps(rows), encoding="utf-8")
    return folder / "records.json"


def potato(folder):
    for coder in ("ana", "ben"):
        spans = {}
        for record_id, who in PAIRS:
            if who == coder:
                spans[record_id] = {"marks": [
                    {"start": place(record_id, words)[0], "end": place(record_id, words)[1], "label": path[-1],
                     "text": words} for path, words in marks(record_id, coder)]}  # fmt: skip
        state = {"user_id": coder, "instance_id_to_label_to_value": {}, "instance_id_to_span_to_value": spans}
        (folder / coder).mkdir()
        (folder / coder / "user_state.json").write_text(json.dumps(state), encoding="utf-8")
    return folder


def quotations(folder):
    """A list of quotations, as ATLAS.ti exports it: no places, several codes in a cell."""
    rows = [(r, words, " > ".join(path), coder, "") for r, coder, path, _, words in MARKS]
    table = pd.DataFrame(rows, columns=["Document", "Quotation Content", "Codes", "Created by", "Comment"])
    table.to_excel(folder / "quotations.xlsx", index=False)
    return folder / "quotations.xlsx"


PROGRAMS = [brat, inception_json, inception_xmi, webanno, catma, label_studio, doccano, doccano_entities, prodigy,
            argilla, potato, quotations]  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_the_same_study_comes_from_each_program(program, tmp_path):
    source = program(tmp_path)
    found = bm.import_labels(source, corpus(), CRITERIA)
    assert found.rejected.empty, found
    assert stored_codes() == CODES
    assert found.coders == ("ana", "ben")
    again = bm.import_labels(source, corpus(), CRITERIA)
    assert (again.n_new, len(again.clashes)) == (0, 0)


@pytest.mark.parametrize("program", [brat, inception_json, webanno, catma], ids=lambda program: program.__name__)
@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_an_archive_is_read_as_its_folder(program, kind, tmp_path, tmp_path_factory):
    program(tmp_path)
    archive = tmp_path_factory.mktemp("archive") / f"export.{kind}"
    files = [path for path in sorted(tmp_path.rglob("*")) if path.is_file()]
    if kind == "zip":
        with zipfile.ZipFile(archive, "w") as opened:
            for path in files:
                opened.write(path, path.relative_to(tmp_path))
    else:
        with tarfile.open(archive, "w:gz") as opened:
            for path in files:
                opened.add(path, path.relative_to(tmp_path))
    found = bm.import_labels(archive, corpus(), CRITERIA)
    assert found.rejected.empty, found
    assert stored_codes() == CODES


def test_a_tar_with_links_reads_nothing_outside(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("secret", encoding="utf-8")
    (tmp_path / "a").mkdir()
    brat(tmp_path / "a")
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "a", "a")
        link = tarfile.TarInfo("a/ana/c.ann")
        link.type, link.linkname = tarfile.SYMTYPE, str(secret)
        archive.addfile(link)
        outside = tarfile.TarInfo("../../outside.ann")
        outside.size = 2
        archive.addfile(outside, io.BytesIO(b"T1"))
    before = {path for path in tmp_path.parent.rglob("*") if "store" not in str(path)}
    bm.import_labels(tmp_path / "x.tar.gz", corpus(), CRITERIA, coder="x")
    assert "secret" not in str(stored_codes())
    assert not {*tmp_path.parent.rglob("outside*")} - before


def test_what_no_code_means_is_listed_and_can_be_said(tmp_path):
    (tmp_path / "a.txt").write_bytes(TEXTS["a"].encode())
    start, end = place("a", "fear")
    (tmp_path / "a.ann").write_text(
        f"T1\tAngst {start} {end}\tfear\nT2\ttodo 0 4\tThey\nT3\theat 0 4\tThey\nT4\tinsult 900 904\tnone\n"
        "A1\tDegree T1 high\n#1\tAnnotatorNotes T1\tA note.\nR1\tLink Arg1:T1 Arg2:T2\n",
        encoding="utf-8",
    )
    found = bm.import_labels(tmp_path / "a.ann", corpus(), CRITERIA, coder="ana", preview=True)
    problems = dict(zip(found.rejected.code, found.rejected.problem, strict=True))
    assert problems["Angst"].startswith("no question or answer is called `Angst`; ")
    assert "codes={'Angst': '...'}" in problems["Angst"]
    assert problems["heat"] == "`heat` is a question (1-5), and the code says no answer"
    assert problems["insult"] == "the passage was left out, the answer counts: `none` is not in the text"
    assert "1 relation of `a.ann` left out." in found.remarks
    codes = {"Angst": "emotion: fear", "todo": None, "heat": None}
    bm.import_labels(tmp_path / "a.ann", corpus(), CRITERIA, coder="ana", codes=codes)
    assert stored_codes() == {("a", "ana", "emotion"): ('["fear"]', ["fear"]), ("a", "ana", "insult"): ("yes", [])}
    assert bm.labels().set_index("criterion").notes["emotion"] == "Degree: high; A note."
    with pytest.raises(bm.SetupError, match=r"codes=\{'x': 'emotion: joy'\}: .*emotion"):
        bm.import_labels(tmp_path / "a.ann", corpus(), CRITERIA, coder="ana", codes={"x": "emotion: joy"})


def test_two_answers_to_one_question_are_rejected_together(tmp_path):
    rows = [{"id": "a", "text": TEXTS["a"], "label": [[0, 4, "1"], [5, 6, "5"]]}]
    (tmp_path / "ana.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    found = bm.import_labels(tmp_path / "ana.jsonl", corpus(), CRITERIA, coder="ana")
    assert found.rejected.kind.tolist() == ["several answers"]
    assert found.rejected.problem[0] == "ana gave several answers to `heat` on one text: `1`, `5`"
    assert stored_codes() == {}


def test_what_nobody_marked_is_no_code_unless_it_is_said(tmp_path):
    brat(tmp_path)
    (tmp_path / "ana" / "c.ann").write_text("", encoding="utf-8")
    (tmp_path / "ana" / "c.txt").write_bytes(TEXTS["c"].encode())
    found = bm.import_labels(tmp_path, corpus(), CRITERIA)
    assert "8 places without a mark" in repr(found)
    assert ("c", "ana", "insult") not in stored_codes()
    bm.import_labels(tmp_path, corpus(), CRITERIA, unmarked="no")
    assert stored_codes() == CODES | {("b", "ana", "insult"): ("no", []), ("c", "ana", "insult"): ("no", [])}
    bm.import_labels(tmp_path, corpus(), CRITERIA, unmarked={"emotion": []})
    assert stored_codes()["c", "ana", "emotion"] == ("[]", [])


def test_a_text_is_known_by_its_name_its_words_or_what_is_said(tmp_path):
    for name, record_id in (("Interview 1", "a"), ("Interview 2", "b")):
        (tmp_path / f"{name}.txt").write_bytes(TEXTS[record_id].replace("\n", "\r\n").encode())
        start, end = place(record_id, "text" if record_id == "b" else "vermin")
        (tmp_path / f"{name}.ann").write_text(f"T1\tinsult {start} {end}\t", encoding="utf-8")
    bm.import_labels(tmp_path, corpus(), CRITERIA, coder="ana")
    assert stored_codes() == {("a", "ana", "insult"): ("yes", ["vermin"]), ("b", "ana", "insult"): ("yes", ["text"])}
    (tmp_path / "Interview 2.txt").write_text("Another text.", encoding="utf-8")
    (tmp_path / "Interview 2.ann").write_text("T1\tinsult 0 7\tAnother", encoding="utf-8")
    found = bm.import_labels(tmp_path, corpus(), CRITERIA, coder="cleo", records={"Interview 2": "c"})
    assert found.rejected.problem.tolist() == [
        "the passage was left out, the answer counts: `Another` is not in the text"
    ]
    with pytest.raises(bm.SetupError, match="records: the corpus has no record `d`"):
        bm.import_labels(tmp_path, corpus(), CRITERIA, coder="ana", records={"Interview 2": "d"})


def test_a_newer_file_with_other_passages_is_a_clash(tmp_path):
    brat(tmp_path)
    bm.import_labels(tmp_path, corpus(), CRITERIA)
    start, end = place("a", "vermin")
    file = tmp_path / "ana" / "a.ann"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(f"insult {start} {end}\tvermin", "insult 0 4\tThey"), encoding="utf-8")
    found = bm.import_labels(tmp_path, corpus(), CRITERIA)
    assert found.clashes[["before", "now"]].values.tolist() == [[f"yes ({start}-{end})", "yes (0-4)"]]
    assert stored_codes() == CODES
    bm.import_labels(tmp_path, corpus(), CRITERIA, on_clash="replace")
    assert stored_codes()["a", "ana", "insult"] == ("yes", ["They"])


def test_a_table_of_passages_may_have_other_headings(tmp_path):
    table = pd.DataFrame(
        [("a", "vermin", "insult", "ana"), ("a", "nowhere", "insult", "ana"), ("a", "t", "insult", "ben")],
        columns=["Interview", "Quote", "Tag", "Who"],
    )
    columns = {"record_id": "Interview", "text": "Quote", "code": "Tag", "coder": "Who"}
    found = bm.import_labels(table, corpus(), CRITERIA, layout="passages", columns=columns)
    assert stored_codes()["a", "ana", "insult"] == ("yes", ["vermin"])
    assert found.rejected.problem.tolist() == [
        "the passage was left out, the answer counts: `nowhere` is not in the text",
        "the passage was left out, the answer counts: `t` is in the text 3 times, and nothing says which is meant",
    ]
    with pytest.raises(bm.SetupError, match="has no column for the record_id of a passage"):
        bm.import_labels(table, corpus(), CRITERIA, layout="passages", columns={"coder": "Who", "text": "Quote"})


def test_a_matrix_without_ids_has_a_row_for_each_record(tmp_path):
    matrix = pd.DataFrame({"ana": ["yes", "no", None], "ben": ["yes", "yes", "no"]})
    question = CRITERIA.select("insult")
    bm.import_labels(matrix, corpus(), question, record_id=None)
    assert {key: answer for key, (answer, _) in stored_codes().items()} == {
        ("a", "ana", "insult"): "yes", ("a", "ben", "insult"): "yes", ("b", "ana", "insult"): "no",
        ("b", "ben", "insult"): "yes", ("c", "ben", "insult"): "no",
    }  # fmt: skip
    with pytest.raises(bm.SetupError, match="has 2 rows, the corpus 3 records"):
        bm.import_labels(matrix.head(2), corpus(), question, record_id=None)


def test_the_results_of_packages_that_ask_models_are_forms(tmp_path):
    rows = [("a", "model-1", "yes", "Agent_0"), ("a", "model-1", "no", "lawyer"), ("b", "model-2", "no", "Agent_1")]
    columns = ["scenario.record_id", "model.model", "answer.insult", "agent.agent_name"]
    pd.DataFrame(rows, columns=columns).assign(**{"prompt.text": "..."}).to_csv(tmp_path / "edsl.csv", index=False)
    found = bm.import_labels(tmp_path / "edsl.csv", corpus(), CRITERIA)
    assert found.rejected.empty
    assert {key[:2]: answer for key, (answer, _) in stored_codes().items()} == {
        ("a", "model-1"): "yes", ("a", "lawyer model-1"): "no", ("b", "model-2"): "no"
    }  # fmt: skip
    quallmer = pd.DataFrame({".id": ["a", "b"], "insult": ["yes", "no"], "heat": [2, 5]})
    bm.import_labels(quallmer, corpus(), CRITERIA, coder="quallmer")
    assert stored_codes()["b", "quallmer", "heat"] == ("5", [])


def placed(content, other, words, nth=0, **fields):
    """The place of the nth occurrence of words in another text, in a record with this content."""
    from buttermilk_nb.human_coding.coded_texts.coded_text import Code, CodedText
    from buttermilk_nb.human_coding.label_import.place_passages import RecordText

    start = -1
    for _ in range(nth + 1):
        start = other.index(words, start + 1)
    found = RecordText(content).place(Code(("x",), start=start, end=start + len(words)), CodedText("f", (), text=other))
    return found if isinstance(found, str) else (found["start"], content[found["start"] : found["end"]])


def test_a_passage_is_never_put_where_it_was_not():
    whole = "The boat is red. The tide is low. The boat is blue."
    part = "The boat is blue."
    assert placed(part, whole, "boat", 1) == (4, "boat")
    assert placed(part, whole, "boat", 0) == "`boat` is in another part of the text, outside of this record"
    assert placed(whole, part, "boat") == (38, "boat")
    edited = whole.replace("tide is low", "tide was very low")
    assert placed(edited, whole, "boat", 0) == (4, "boat")
    assert placed(edited, whole, "boat", 1) == (edited.rindex("boat"), "boat")
    assert placed("boat, boat, and nothing else", whole, "boat", 0).startswith("`boat` is in the text 2 times")
    assert placed(f"{part} {part}", part, "boat").startswith("the text of the file is several times in this record")
    assert placed("No such thing.", whole, "boat") == "`boat` is not in the text"
    assert placed("A\r\nboat  at sea", "A\nboat at sea", "boat at sea") == (3, "boat  at sea")
