"""Files of SPSS, Stata, SAS and R, written by pyreadstat and rdata."""

import numpy as np
import pandas as pd
import pyreadstat
import pytest
import rdata

import buttermilk_nb as bm

FRAME = pd.DataFrame({"id": [1.0, 2.0, 3.0], "open": ["It was closed.", "Größe", ""], "sex": [1.0, 2.0, np.nan]})
LABELS = {"sex": {1.0: "male", 2.0: "female"}}
QUESTIONS = {"id": "Number", "open": "What did you see?", "sex": "Sex"}
WRITERS = {
    "survey.sav": lambda path: pyreadstat.write_sav(FRAME, path, column_labels=QUESTIONS, variable_value_labels=LABELS),
    "survey.zsav": lambda path: pyreadstat.write_sav(
        FRAME, path, column_labels=QUESTIONS, variable_value_labels=LABELS, compress=True
    ),
    "survey.dta": lambda path: pyreadstat.write_dta(
        FRAME, path, column_labels=QUESTIONS, variable_value_labels={"sex": {1: "male", 2: "female"}}
    ),
}


@pytest.mark.parametrize("name", WRITERS)
def test_labels_are_read_and_questions_are_kept(tmp_path, name):
    WRITERS[name](tmp_path / name)
    corpus = bm.load(tmp_path / name, content="open", record_id="id")
    assert [(record.record_id, record.content, record.metadata) for record in corpus] == [
        ("1", "It was closed.", {"sex": "male"}), ("2", "Größe", {"sex": "female"}),
    ]  # fmt: skip
    assert corpus.rejected.reason.tolist() == ["no text in `open`"]
    assert corpus.provenance["questions"] == QUESTIONS
    assert corpus.provenance["parser"].startswith("pyreadstat 1.")
    assert corpus.remarks == (
        f"`{name}`: the values of `sex` were read as their labels; labels=False reads the numbers.",
    )


def test_numbers_behind_labels_can_be_read(tmp_path):
    WRITERS["survey.sav"](tmp_path / "survey.sav")
    corpus = bm.load(tmp_path / "survey.sav", content="open", record_id="id", labels=False)
    assert [record.metadata["sex"] for record in corpus] == [1, 2]


def test_values_declared_as_missing_are_missing(tmp_path):
    frame = pd.DataFrame({"open": ["One.", "Two."], "age": [30.0, 99.0]})
    pyreadstat.write_sav(frame, tmp_path / "a.sav", missing_ranges={"age": [99]})
    assert [record.metadata for record in bm.load(tmp_path / "a.sav", content="open")] == [{"age": 30}, {"age": None}]


def test_a_file_of_sas_is_read(tmp_path):
    pyreadstat.write_xport(pd.DataFrame({"open": ["One."], "n": [2.5]}), tmp_path / "a.xpt")
    (record,) = bm.load(tmp_path / "a.xpt", content="open")
    assert (record.content, record.metadata) == ("One.", {"n": 2.5})


@pytest.mark.parametrize("name", ["a.sav", "a.dta", "a.por", "a.sas7bdat", "a.xpt", "a.rds", "a.rda"])
@pytest.mark.parametrize("data", [b"", b"no such file", b"$FL2@(#) SPSS" + b"\xff" * 50, b"\x00" * 300])
def test_a_damaged_file_is_a_sentence(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(bm.SetupError) as found:
        bm.load(tmp_path / name, content="open")
    assert str(found.value).startswith(f"`{name}` cannot be read")


def test_a_cut_off_file_is_a_sentence_or_says_which_rows_are_there(tmp_path):
    WRITERS["survey.sav"](tmp_path / "survey.sav")
    data = (tmp_path / "survey.sav").read_bytes()
    for share in (0.1, 0.5, 0.8):
        (tmp_path / "cut.sav").write_bytes(data[: int(len(data) * share)])
        with pytest.raises(bm.SetupError, match="`cut.sav` cannot be read"):
            bm.load(tmp_path / "cut.sav", content="open")


def test_frames_of_r_are_read_by_their_name(tmp_path):
    frame = pd.DataFrame({"open": ["One.", "Two."], "n": [1, 2]})
    rdata.write_rds(tmp_path / "a.rds", frame)
    assert [(r.content, r.metadata["n"]) for r in bm.load(tmp_path / "a.rds", content="open")] == [
        ("One.", 1),
        ("Two.", 2),
    ]
    rdata.write_rda(tmp_path / "b.rda", {"first": frame, "second": frame.head(1)})
    with pytest.raises(bm.SetupError, match="has several data frames; write at= and one of `first` and `second`"):
        bm.load(tmp_path / "b.rda", content="open")
    assert len(bm.load(tmp_path / "b.rda", content="open", at="second")) == 1
    with pytest.raises(bm.SetupError, match="has no data frame `third`; there are `first` and `second`"):
        bm.load(tmp_path / "b.rda", content="open", at="third")
