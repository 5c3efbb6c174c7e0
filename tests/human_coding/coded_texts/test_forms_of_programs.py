"""Further forms in which other programs write codes, and what must not be lost in them."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from support.coded_study import CRITERIA, TEXTS, corpus, stored_codes

import buttermilk_nb as bm

TEXT = TEXTS["b"]  # "A calm text, \\ with a backslash."


@pytest.fixture(autouse=True)
def project(offline_project):
    return offline_project


def write(path, value):
    lines = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    path.write_text(lines, encoding="utf-8")
    return path


def numbered():
    """A corpus whose ids are the numbers that programs give to their tasks, in another order."""
    return bm.Corpus([bm.Record(record_id="1", content=TEXTS["a"]), bm.Record(record_id="2", content=TEXT)])


# --- which record a text is --------------------------------------------------------------------------


def label_studio_task(**data):
    result = {"from_name": "insult", "to_name": "text", "type": "choices", "value": {"choices": ["yes"]}}
    return {"id": 2, "data": data, "annotations": [{"completed_by": 1, "result": [result]}]}


@pytest.mark.parametrize(
    "rows",
    [
        [label_studio_task(text=TEXTS["a"])],
        [{"id": 2, "text": TEXTS["a"], "label": [[10, 16, "insult"]]}],
        [{"id": 2, "text": TEXTS["a"], "annotation_id": 7, "annotator": 1, "insult": "yes"}],
    ],
    ids=["label_studio", "doccano", "json_min"],
)
def test_the_words_of_a_text_win_over_the_number_of_a_program(tmp_path, rows):
    result = bm.import_labels(write(tmp_path / "x.json", rows), numbered(), CRITERIA, coder="1")
    assert bm.labels().record_id.tolist() == ["1"]
    assert any("its `2` is the record `1`" in remark for remark in result.remarks)


def test_the_id_in_the_data_of_a_task_is_the_record(tmp_path):
    bm.import_labels(write(tmp_path / "x.json", [label_studio_task(id="1")]), numbered(), CRITERIA)
    assert [key[0] for key in stored_codes()] == ["1"]


def test_a_field_can_be_named_that_has_the_id(tmp_path):
    file = write(tmp_path / "x.json", [label_studio_task(doc="1", id="2")])
    bm.import_labels(file, numbered(), CRITERIA, record_id="doc")
    assert [key[0] for key in stored_codes()] == ["1"]


def test_a_text_that_no_record_has_is_not_taken_for_the_record_of_its_number(tmp_path):
    file = write(tmp_path / "x.json", [label_studio_task(text="Quite other words stand in here.")])
    result = bm.import_labels(file, numbered(), CRITERIA)
    assert stored_codes() == {}
    assert "the file's text `2` is not that of the record `2`" in result.rejected.problem[0]
    bm.import_labels(file, numbered(), CRITERIA, records={"2": "1"})
    assert [key[0] for key in stored_codes()] == ["1"]


# --- one of several labels ----------------------------------------------------------------------------


def test_each_passage_keeps_its_label_on_the_way_in_and_out(tmp_path):
    start = TEXTS["a"].index("vermin")
    rows = [("a", "fear", "ana", start, start + 6), ("a", "anger", "ana", 0, 4)]
    frame = pd.DataFrame(rows, columns=["record_id", "code", "coder", "start", "end"])
    bm.import_labels(frame, corpus(), CRITERIA, layout="passages")
    expected = {("a", "ana", "emotion"): ('["anger", "fear"]', ["anger: They", "fear: vermin"])}
    assert stored_codes() == expected
    marks = bm.highlights()
    assert dict(zip(marks.text, marks.category, strict=True)) == {"They": '["anger"]', "vermin": '["fear"]'}
    names = ("x.qdpx", "x.zip", "x.json", "x.csv")
    files = [bm.export_labels(tmp_path / name, corpus(), CRITERIA) for name in names]
    for file in files:
        bm.init("back", path=tmp_path / f"back-{file.name}")
        bm.import_labels(file, corpus(), CRITERIA)
        assert stored_codes() == expected, file.name


# --- tables of passages -------------------------------------------------------------------------------

START = TEXTS["a"].index("vermin")


@pytest.mark.parametrize(
    "table",
    [
        f"record_id,code,coder,start,end,text\na,insult,ana,{START},{START + 6},vermin",
        f"record_id,code,coder,start,end\na,insult,ana,{START},{START + 6}",
        f"record_id,criterion,category,coder,start,end,text\na,insult,yes,ana,{START},{START + 6}.0,vermin",
        f"doc_id,annotator,label,start,end,span\na,ana,insult,{START},{START + 6},vermin",
        f"document,coder,code,begin,end,quote\na,ana,insult,{START},{START + 6},vermin",
        "Case,Code,Coder,Coded text\na,insult,ana,vermin",
        "Media Title,Excerpt Copy,Code,Excerpt Creator\na,vermin,insult,ana",
    ],
)
def test_a_table_of_passages_is_known_by_its_headings(tmp_path, table):
    result = bm.import_labels(write(tmp_path / "x.csv", table), corpus(), CRITERIA)
    assert stored_codes() == {("a", "ana", "insult"): ("yes", ["vermin"])}
    assert result.rejected.empty


@pytest.mark.parametrize("places", ["100,200", "x,y", "4,3"])
def test_a_place_that_is_not_in_the_text_is_listed(tmp_path, places):
    file = write(tmp_path / "x.csv", f"record_id,code,coder,start,end\na,insult,ana,{places}")
    result = bm.import_labels(file, corpus(), CRITERIA)
    assert stored_codes() == {("a", "ana", "insult"): ("yes", [])}
    assert "the passage was left out, the answer counts" in result.rejected.problem[0]


# --- programs ---------------------------------------------------------------------------------------------


def test_only_submitted_responses_of_argilla_count(tmp_path):
    def response(user, status):
        return {"user_id": user, "status": status, "values": {"insult": {"value": "yes"}}}

    responses = [response("ana", "submitted"), response("ben", "draft"), response("eva", "discarded")]
    row = {"external_id": "a", "fields": {"text": TEXTS["a"]}, "responses": responses}
    result = bm.import_labels(write(tmp_path / "x.json", [row]), corpus(), CRITERIA)
    assert [key[1] for key in stored_codes()] == ["ana"]
    assert "1 response left out, with the status `draft`." in result.remarks
    assert "1 response left out, with the status `discarded`." in result.remarks


@pytest.mark.parametrize(
    "row",
    [
        {"text": TEXTS["a"], "id": "a", "insult.responses": ["yes"], "insult.responses.users": ["ana"],
         "insult.responses.status": ["submitted"]},
        {"text": TEXTS["a"], "id": "a", "annotation": "insult", "annotation_agent": "ana", "status": "Validated"},
    ],
    ids=["flat", "version 1"],
)  # fmt: skip
def test_other_forms_of_argilla(tmp_path, row):
    bm.import_labels(write(tmp_path / "x.json", [row]), corpus(), CRITERIA)
    assert stored_codes() == {("a", "ana", "insult"): ("yes", [])}


def test_the_state_of_a_person_in_potato_as_pairs(tmp_path):
    labels = {"a": [[{"schema": "insult", "name": "yes"}, "true"], [{"schema": "heat", "name": "4"}, "4"]]}
    state = {"user_id": "ana", "instance_id_to_label_to_value": labels}
    bm.import_labels(write(tmp_path / "user_state.json", state), corpus(), CRITERIA)
    assert {key[2]: answer for key, (answer, _) in stored_codes().items()} == {"insult": "yes", "heat": "4"}


def test_the_annotated_instances_of_potato(tmp_path):
    row = {
        "id": "a",
        "displayed_text": TEXTS["a"],
        "label_annotations": {"insult": {"yes": "1"}},
        "span_annotations": {},
    }
    bm.import_labels(write(tmp_path / "x.jsonl", json.dumps(row)), corpus(), CRITERIA, coder="ana")
    assert stored_codes() == {("a", "ana", "insult"): ("yes", [])}


@pytest.mark.parametrize(("answer", "expected"), [("accept", "yes"), ("reject", "no")])
def test_one_label_of_prodigy_is_accepted_or_rejected(tmp_path, answer, expected):
    row = {
        "text": TEXTS["a"],
        "_input_hash": 1,
        "label": "insult",
        "answer": answer,
        "_annotator_id": "ana",
        "comment": "Hm.",
    }
    bm.import_labels(write(tmp_path / "x.jsonl", json.dumps(row)), corpus(), CRITERIA)
    assert stored_codes() == {("a", "ana", "insult"): (expected, [])}
    assert bm.labels().notes.tolist() == ["Hm."]


def test_an_attribute_of_brat_is_a_code_if_a_question_or_answer_is_called_so(tmp_path):
    lines = ["T1\tperson 12 18\tvermin", "A1\temotion T1 fear", "A2\tinsult T1", "A3\tdegree T1 high"]
    write(tmp_path / "a.ann", "\n".join(lines).replace("12 18", f"{START} {START + 6}"))
    write(tmp_path / "a.txt", TEXTS["a"])
    bm.import_labels(tmp_path / "a.ann", corpus(), CRITERIA, coder="ana", codes={"person": None})
    assert stored_codes() == {
        ("a", "ana", "emotion"): ('["fear"]', ["vermin"]),
        ("a", "ana", "insult"): ("yes", ["vermin"]),
    }


def test_a_region_column_of_label_studio_is_read(tmp_path):
    region = [{"start": START + 1, "end": START + 7, "text": "vermin", "labels": ["fear"]}]  # an emoji counts two
    row = {"id": 9, "record_id": "a", "text": TEXTS["a"], "annotation_id": 1, "annotator": "ana", "emotion": region}
    bm.import_labels(write(tmp_path / "x.json", [row]), corpus(), CRITERIA)
    assert stored_codes() == {("a", "ana", "emotion"): ('["fear"]', ["vermin"])}


def test_curations_are_left_out_with_a_remark_and_files_keep_their_names(tmp_path):
    import zipfile

    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("annotation/a.txt/ana.tsv", "#FORMAT=WebAnno TSV 3.3\n\n\n#Text=They\n1-1\t0-4\tThey\t\n")
        archive.writestr(
            "curation/a.txt/CURATION_USER.tsv", "#FORMAT=WebAnno TSV 3.3\n\n\n#Text=They\n1-1\t0-4\tThey\t\n"
        )
    result = bm.import_labels(tmp_path / "x.zip", corpus(), CRITERIA)
    assert any("1 text with a curation left out" in remark for remark in result.remarks)
    with zipfile.ZipFile(tmp_path / "y.zip", "w") as archive:
        archive.writestr("all.jsonl", json.dumps({"id": "q", "text": "x", "label": [[0, 1, "insult"]]}))
        archive.writestr("unknown.jsonl", "")
    result = bm.import_labels(tmp_path / "y.zip", corpus(), CRITERIA, coder="ana")
    assert result.rejected["where"].tolist() == ["all.jsonl, line 1"]


# --- what is said -----------------------------------------------------------------------------------------


def test_the_code_that_is_listed_is_the_one_to_write(tmp_path):
    row = {"id": "a", "text": TEXTS["a"], "label": [[START, START + 6, "Slur"]]}
    file = write(tmp_path / "x.jsonl", json.dumps(row))
    result = bm.import_labels(file, corpus(), CRITERIA, coder="ana", codes={"slurr": None})
    assert "codes: no code of the file is called `slurr`." in result.remarks
    code = result.rejected.code[0]
    result = bm.import_labels(file, corpus(), CRITERIA, coder="ana", codes={code: "insult"})
    assert result.rejected.empty
    assert stored_codes() == {("a", "ana", "insult"): ("yes", ["vermin"])}


def test_a_coder_that_is_not_used_is_said(tmp_path):
    row = {"id": "a", "text": TEXTS["a"], "label": [[START, START + 6, "insult"]], "annotator": "ana"}
    result = bm.import_labels(write(tmp_path / "x.jsonl", json.dumps(row)), corpus(), CRITERIA, coder="ben")
    assert 'coder="ben" was not used where the file names its coders.' in result.remarks


# --- wide tables --------------------------------------------------------------------------------------------


def test_our_own_wide_table_with_several_questions_comes_back(tmp_path):
    rows = [("a", "ana", "insult", "yes"), ("a", "ana", "emotion", "none"), ("b", "ben", "heat", "4")]
    frame = pd.DataFrame(rows, columns=["record_id", "coder", "criterion", "category"])
    bm.import_labels(frame, corpus(), CRITERIA)
    before = stored_codes()
    assert before["a", "ana", "emotion"] == ("[]", [])
    file = bm.export_labels(tmp_path / "x.csv", corpus(), CRITERIA, layout="wide")
    bm.init("back", path=tmp_path / "back")
    bm.import_labels(file, corpus(), CRITERIA)
    assert stored_codes() == before


def test_row_numbers_and_summaries_are_no_coders(tmp_path):
    heat = bm.Criteria("heat", "How heated?", scale="1-5")
    file = write(tmp_path / "x.csv", '"","record_id","r1","r2","mean","n"\n"1","a",3,4,3.5,2\n"2","b",2,2,2,2\n')
    result = bm.import_labels(file, corpus(), heat)
    assert result.coders == ("r1", "r2")
    assert any("`column 1`" in remark and "are no coders" in remark for remark in result.remarks)
    result = bm.import_labels(file, corpus(), heat, columns=["mean"], on_clash="keep", preview=True)
    assert result.coders == ("mean",)


@pytest.mark.parametrize("name", ["x.sav", "x.dta"])
def test_files_of_statistics_programs_come_back(tmp_path, name):
    pytest.importorskip("pyreadstat")
    rows = [("a", "ana", "insult", "yes"), ("b", "ana", "insult", "not applicable"), ("b", "ben", "heat", "4")]
    frame = pd.DataFrame(rows, columns=["record_id", "coder", "criterion", "category"])
    bm.import_labels(frame, corpus(), CRITERIA)
    before = stored_codes()
    file = bm.export_labels(tmp_path / name, corpus(), CRITERIA)
    bm.init("back", path=tmp_path / "back")
    result = bm.import_labels(file, corpus(), CRITERIA)
    assert {key: value for key, value in stored_codes().items() if value[0] != "[]"} == before, result


def test_a_code_of_the_whole_text_and_several_values_of_a_feature_in_inception(tmp_path):
    cassis = pytest.importorskip("cassis")
    types = cassis.TypeSystem()
    whole = types.create_type("webanno.custom.About", supertypeName="uima.cas.AnnotationBase")
    types.create_feature(whole, "insult", "uima.cas.String")
    mark = types.create_type("webanno.custom.Mark", supertypeName="uima.tcas.Annotation")
    types.create_feature(mark, "emotion", "uima.cas.StringArray")
    cas = cassis.Cas(typesystem=types)
    cas.sofa_string = TEXTS["a"]
    cas.sofa_mime = "text/plain"
    cas.add(whole(insult="yes"))
    array = types.get_type("uima.cas.StringArray")(elements=["fear", "anger"])
    cas.add(mark(begin=START, end=START + 6, emotion=array))
    (tmp_path / "a.txt").mkdir()
    cas.to_json(tmp_path / "a.txt" / "ana.json")
    result = bm.import_labels(tmp_path, corpus(), CRITERIA)
    assert result.rejected.empty, result.rejected.problem.tolist()
    assert stored_codes() == {
        ("a", "ana", "insult"): ("yes", []),
        ("a", "ana", "emotion"): ('["anger", "fear"]', ["vermin"]),
    }


def test_a_text_that_begins_with_a_byte_order_mark_keeps_its_places(tmp_path):
    marked = bm.Corpus([bm.Record(record_id="a", content="\ufeffThey are vermin.")])
    frame = pd.DataFrame([("a", "insult", "ana", 10, 16)], columns=["record_id", "code", "coder", "start", "end"])
    bm.import_labels(frame, marked, CRITERIA, layout="passages")
    file = bm.export_labels(tmp_path / "x.qdpx", marked, CRITERIA)
    bm.init("back", path=tmp_path / "back")
    result = bm.import_labels(file, marked, CRITERIA)
    assert result.rejected.empty
    marks = bm.highlights()
    assert (marks.start.tolist(), marks.text.tolist()) == ([10], ["vermin"])
