"""Codes go to other programs and come back as they were."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pandas as pd
import pyreadstat
import pytest
from hypothesis import given, settings, strategies as st
from support.coded_study import CRITERIA, TEXTS, corpus, place

import buttermilk_nb as bm
from buttermilk_nb.human_coding.labels import keep_labels, make_label
from buttermilk_nb.project import session

COLUMNS = ["record_id", "coder", "criterion", "category", "value", "quotes", "notes", "status"]


def code(record_id, coder, criterion, answer, *words, notes=None, **fields):
    record = next(record for record in corpus() if record.record_id == record_id)
    quotes = [{"start": place(record_id, w)[0], "end": place(record_id, w)[1], "text": w} for w in words] or None
    return make_label(
        CRITERIA[criterion], CRITERIA, record, coder=coder, answer=answer, quotes=quotes, notes=notes, source="form",
        **fields,
    )  # fmt: skip


STUDY = [
    code("a", "ana", "insult", "yes", "vermin", notes="Harsh; but | plain\\ [sic]."),
    code("a", "ana", "emotion", ["fear", "anger"], "fear", "[hate] it_all"),
    code("a", "ben", "insult", "no"),
    code("a", "ben", "heat", "cannot tell"),
    code("b", "ana", "heat", "2", "A", "calm text"),
    code("b", "ben", "emotion", []),
    code("c", "ben", "insult", "not applicable", notes="=1+1"),
]


@pytest.fixture
def study(offline_project):
    keep_labels(offline_project, STUDY, records=list(corpus()), documents=[CRITERIA])
    return offline_project


def stored():
    return bm.labels()[COLUMNS].astype(object).where(lambda frame: frame.notna(), None).to_dict("records")


@pytest.mark.parametrize("name", ["study.qdpx", "study.zip", "study.json", "study.csv"])
def test_what_is_written_comes_back_as_it_was(study, tmp_path, name):
    before = stored()
    file = bm.export_labels(tmp_path / name, corpus(), CRITERIA)
    bm.init("back", path=tmp_path / "back")
    found = bm.import_labels(file, corpus(), CRITERIA)
    assert found.rejected.empty, found
    assert stored() == before


LETTERS = st.text(st.sampled_from("ab 😀é\n\t|[]_\\;*->{}\"'<&"), min_size=1, max_size=40)


@st.composite
def coded_texts(draw):
    """Texts with passages of each answer; a text is never blank, and a passage never white space alone."""
    labels = []
    records = []
    for n, body in enumerate(draw(st.lists(LETTERS, min_size=1, max_size=3))):
        text = f"x{body}y"
        record = bm.Record(record_id=f"r{n}", content=text)
        records.append(record)
        for coder in draw(st.sets(st.sampled_from(["ana", "ben · 2", "ö/x"]), min_size=1)):
            places = draw(st.lists(st.tuples(st.integers(0, len(text) - 1), st.integers(1, len(text))), max_size=3))
            spans = sorted({(s, e) for s, e in places if s < e and text[s:e].strip() == text[s:e] and text[s:e]})
            quotes = [{"start": s, "end": e, "text": text[s:e]} for s, e in spans] or None
            notes = draw(st.none() | LETTERS.map(str.strip).filter(bool))
            answer = draw(st.sampled_from(["yes", "no", "cannot tell"]))
            labels.append(make_label(CRITERIA["insult"], CRITERIA, record, coder=coder.replace(" · ", "-"),
                                     answer=answer, quotes=quotes, notes=notes, source="form"))  # fmt: skip
    return records, labels


@given(study=coded_texts(), ending=st.sampled_from(["qdpx", "zip", "json"]))
@settings(max_examples=60)
def test_any_text_passage_and_note_comes_back(tmp_path_factory, study, ending):
    records, labels = study
    folder = tmp_path_factory.mktemp("study")
    try:
        project = bm.init("out", path=folder / "out")
        keep_labels(project, labels, records=records, documents=[CRITERIA])
        before = stored()
        texts = bm.Corpus(records)
        file = bm.export_labels(folder / f"study.{ending}", texts, CRITERIA)
        bm.init("back", path=folder / "back")
        found = bm.import_labels(file, texts, CRITERIA)
        assert found.rejected.empty, found
        assert [tidy(row) for row in stored()] == [tidy(row) for row in before]
    finally:
        session.close()


def tidy(row):
    """A file name and a note may lose what systems do not take: the signs of folders, white space at its ends."""
    notes = None if row["notes"] is None else row["notes"].strip()
    return {**row, "coder": row["coder"].replace("/", "_"), "notes": notes}


def test_label_studio_gets_a_form_with_every_question(study, tmp_path):
    file = bm.export_labels(tmp_path / "tasks.json", corpus(), CRITERIA, coders=[])
    tasks = json.loads(file.read_text(encoding="utf-8"))
    assert [(task["data"]["record_id"], task["data"]["text"]) for task in tasks] == list(TEXTS.items())
    assert all(task["annotations"] == [] and task["predictions"] == [] for task in tasks)
    form = ET.parse(tmp_path / "tasks.config.xml").getroot()
    controls = {item.get("name"): [each.get("value") for each in item] for item in form.iter("Choices")}
    assert controls["emotion"] == ["fear", "anger", "none of these", "not applicable", "cannot tell"]
    assert [item.get("choice") for item in form.iter("Choices")] == ["single", "multiple", "single"]


def test_answers_of_models_are_shown_only_if_they_are_given(study, tmp_path):
    scores = pd.DataFrame({"record_id": ["a", "b"], "criterion": ["insult", "insult"], "category": ["yes", None],
                           "value": [1.0, None], "model": ["m", "m"]})  # fmt: skip
    file = bm.export_labels(tmp_path / "tasks.json", corpus(), CRITERIA, coders=[], suggestions=scores)
    predictions = [task["predictions"] for task in json.loads(file.read_text(encoding="utf-8"))]
    assert [len(each) for each in predictions] == [1, 0, 0]
    assert predictions[0][0]["model_version"] == "m"
    assert predictions[0][0]["result"][0]["value"] == {"choices": ["yes"]}
    bm.init("back", path=tmp_path / "back")
    assert bm.import_labels(file, corpus(), CRITERIA, preview=True).n_codes == 0
    with pytest.raises(bm.SetupError, match="only tasks for Label Studio"):
        bm.export_labels(tmp_path / "x.qdpx", corpus(), CRITERIA, suggestions=scores)
    with pytest.raises(bm.SetupError, match=r"needs the dataframe that run.scores\(\) returns"):
        bm.export_labels(tmp_path / "y.json", corpus(), CRITERIA, suggestions=scores[["record_id"]])
    with pytest.raises(bm.SetupError, match="the criteria have no question `calm`"):
        bm.export_labels(tmp_path / "y.json", corpus(), CRITERIA, suggestions=scores.assign(criterion="calm"))


def test_a_wide_table_has_a_column_for_each_coder(study, tmp_path):
    with pytest.raises(bm.SetupError, match=r"there is no code of these criteria on these records; coders=\[\] writes"):
        bm.export_labels(tmp_path / "other.csv", corpus(), CRITERIA.select("insult"), layout="wide")
    whole = pd.read_csv(bm.export_labels(tmp_path / "whole.csv", corpus(), CRITERIA, layout="wide"))
    assert whole.set_index("record_id").loc["a"].dropna().to_dict() == {
        "emotion: ana": "anger; fear", "heat: ben": "cannot tell", "insult: ana": "yes", "insult: ben": "no"
    }  # fmt: skip


def test_spss_and_stata_get_numbers_with_labels_and_missing_values(study, tmp_path):
    frame, meta = pyreadstat.read_sav(
        str(bm.export_labels(tmp_path / "codes.sav", corpus(), CRITERIA)), user_missing=True
    )
    ben = frame[frame.coder == "ben"].set_index("record_id")
    assert ben.insult.fillna(-1).to_dict() == {"a": 0.0, "b": -1.0, "c": 997.0}
    assert meta.variable_value_labels["insult"] == {
        0.0: "no",
        1.0: "yes",
        997.0: "not applicable",
        998.0: "cannot tell",
    }
    assert meta.column_names_to_labels["insult"] == "Does it insult?"
    assert meta.missing_ranges["insult"] == [{"lo": 997.0, "hi": 997.0}, {"lo": 998.0, "hi": 998.0}]
    ana = frame[frame.coder == "ana"].set_index("record_id")
    assert ana.loc["a", ["emotion_fear", "emotion_anger"]].tolist() == [1, 1]
    assert ben.loc["b", ["emotion_fear", "emotion_anger"]].tolist() == [0, 0]
    file = bm.export_labels(tmp_path / "codes.dta", corpus(), CRITERIA)
    stata, about = pyreadstat.read_dta(str(file), user_missing=True)
    assert stata.set_index(["record_id", "coder"]).heat.loc["a", "ben"] == "b"
    assert about.variable_value_labels["heat"]["b"] == "cannot tell"
    by_pandas = pd.read_stata(file, convert_categoricals=False).set_index(["record_id", "coder"])
    assert pd.isna(by_pandas.heat.loc["a", "ben"])


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("codes.docx", {}, r"codes are written as .qdpx, .zip, .json, .csv, .sav, .dta"),
        ("codes.csv", {"layout": "tall"}, "layout='tall' must be one of long, wide"),
        ("codes.csv", {"coders": ["anna"]}, "coders: `anna` has no code on these records; did you mean `ana`"),
        ("nowhere/codes.csv", {}, "there is no folder"),
    ],
)
def test_what_cannot_be_written_is_a_sentence(study, tmp_path, name, options, sentence):
    with pytest.raises(bm.SetupError, match=sentence):
        bm.export_labels(tmp_path / name, corpus(), CRITERIA, **options)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(("codes", ".export"))] == []


def test_two_names_that_would_be_one_file_are_not_mixed(study, tmp_path):
    extra = code("a", "ANA", "heat", "3")
    keep_labels(study, [extra], records=list(corpus()), documents=[CRITERIA])
    with pytest.raises(bm.SetupError, match="`ANA` and `ana` would be one file in the zip; write a `.qdpx` or `.json`"):
        bm.export_labels(tmp_path / "study.zip", corpus(), CRITERIA)


def test_a_file_is_replaced_only_on_request(study, tmp_path):
    file = bm.export_labels(tmp_path / "codes.csv", corpus(), CRITERIA)
    with pytest.raises(bm.SetupError, match="`codes.csv` exists already"):
        bm.export_labels(file, corpus(), CRITERIA)
    before = file.read_bytes()
    assert bm.export_labels(file, corpus(), CRITERIA, replace=True).read_bytes() == before


def test_what_is_left_out_is_said(study, tmp_path):
    local = bm.Corpus([r.model_copy(update={"local_only": r.record_id == "b"}) for r in corpus()])
    with pytest.warns(UserWarning, match="1 record left out: local_only"):
        file = bm.export_labels(tmp_path / "codes.json", local, CRITERIA)
    assert "backslash" not in file.read_text(encoding="utf-8")
    whole = bm.export_labels(tmp_path / "whole.json", local, CRITERIA, with_local_only=True)
    assert "backslash" in whole.read_text(encoding="utf-8")
    changed = bm.Corpus([bm.Record(record_id="a", content="Another text."), *list(corpus())[1:]])
    with pytest.warns(UserWarning, match="4 codes left out: about another version of a text"):
        bm.export_labels(tmp_path / "changed.csv", changed, CRITERIA)
    keep_labels(study, [code("a", "ana", "insult", "no", round="2")], records=list(corpus()), documents=[CRITERIA])
    with pytest.raises(bm.SetupError, match=r"codes of several rounds \(`1` and `2`\); choose one, round=\"2\""):
        bm.export_labels(tmp_path / "rounds.csv", corpus(), CRITERIA)
    assert len(pd.read_csv(bm.export_labels(tmp_path / "rounds.csv", corpus(), CRITERIA, round="2"))) == 1


def test_forget_names_the_files(study, tmp_path):
    file = bm.export_labels(tmp_path / "codes.qdpx", corpus(), CRITERIA)
    assert str(file) in repr(study.evidence.forget(record_id="a"))
