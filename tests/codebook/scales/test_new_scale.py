"""A new scale is one file: forms, sheets, imports, offline models, panels, statistics and plots take it as it is."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import matplotlib as mpl
import pandas as pd
import pytest

import buttermilk_nb as bm
from buttermilk_nb.codebook.scales import Scale
from buttermilk_nb.codebook.scales.base import Level, NamedScale, OfflineRule
from buttermilk_nb.codebook.scales.form_control import FormControl
from buttermilk_nb.human_coding.questionnaire import Questionnaire
from buttermilk_nb.human_coding.spreadsheets.columns import code_columns
from buttermilk_nb.notebook.form_page import question_view

WORDS = ("cold", "cool", "warm", "hot")


@pytest.fixture(scope="module")
def temperature():
    """A scale of words in order, each with a number of degrees. The registry forgets it after these tests."""

    class Temperature(NamedScale):
        """How warm a text is, in words."""

        kind: Literal["temperature"] = "temperature"
        level: ClassVar[Level] = "ordinal"
        offline_rule: ClassVar[OfflineRule] = "most cues"

        @classmethod
        def from_shorthand(cls, text: str) -> Temperature | None:
            return cls() if text.strip() == "temperature" else None

        @property
        def shorthand(self) -> str:
            return "temperature"

        @property
        def answers(self) -> tuple[str, ...]:
            return WORDS

        def instruction(self) -> str:
            return "Answer with one word: cold, cool, warm or hot."

        def _number(self, name: str) -> float:
            return float(WORDS.index(name) * 10)

        def form_control(self) -> FormControl:
            return FormControl(captions={"cold": "(0°)", "hot": "(30°)"}, is_ordered=True)

        def answer_schema(self) -> dict[str, Any]:
            return {"type": "string", "enum": list(WORDS)}

    yield Temperature
    del Scale.kinds["temperature"]


@pytest.fixture
def warmth(temperature):
    cues = {"cold": ["icy"], "cool": [], "warm": ["welcome"], "hot": ["blazing"]}
    return bm.Criteria("warmth", "How warm is the text?", scale="temperature", flag="warm | hot", cues=cues)


@pytest.fixture
def texts():
    words = ["An icy stare.", "A warm welcome.", "A blazing speech.", "A report.", "Icy, then a welcome, a welcome."]
    truth = ["cold", "warm", "hot", "cool", "warm"]
    rows = [
        {"id": f"r{n}", "text": text, "expert": code} for n, (text, code) in enumerate(zip(words, truth, strict=True))
    ]
    return bm.load(rows, content="text", record_id="id", truth={"warmth": "expert"})


def test_judges_panels_and_statistics_take_it(make_project, warmth, texts):
    make_project("offline/strict", "offline/lenient", "offline/teaching?accuracy=.5&seed=2")
    run = bm.Flow("new", [bm.Judge("judge", criteria=warmth), bm.Panel("panel", of="judge")]).run(texts)
    scores = run.scores()
    strict = scores[scores.model == "offline/strict"].sort_values("record_id")
    assert strict.category.tolist() == ["cold", "warm", "hot", "cool", "warm"]
    assert strict.value.tolist() == [0.0, 20.0, 30.0, 10.0, 20.0]
    assert set(scores.status) == {"ok"}
    ratings = run.ratings()
    found = bm.agreement(ratings, n_boot=20)
    assert found.value[found.coefficient.str.contains("alpha")].notna().any()
    assert bm.metrics(ratings, n_boot=20).value.notna().any()
    mpl.use("agg")
    assert bm.plot_agreement(found).get_xlabel()


def test_the_coding_form_and_the_sheet_take_it(warmth):
    view = question_view(warmth["warmth"])
    labels = [option["label"] for option in view["options"]]
    assert labels[:4] == ["cold (0°)", "cool", "warm", "hot (30°)"]
    assert (view["level"], view["number"]) == (True, None)
    columns = code_columns(Questionnaire([warmth]))
    assert [column.header for column in columns] == ["warmth"]
    assert columns[0].choices[:4] == WORDS


def test_people_s_codes_are_imported_exactly(make_project, warmth, texts):
    make_project("offline/strict")
    frame = pd.DataFrame({"record_id": ["r0", "r1", "r2"], "kf": ["cold", "Warm", "hottish"]})
    done = bm.import_labels(frame, texts, warmth, preview=True)
    assert len(done.rejected) == 1
    assert "is not one of the answers; did you mean `hot`?" in str(done.rejected.iloc[0].to_dict())
