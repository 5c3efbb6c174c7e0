"""A list or a dataframe in the place of a corpus is a sentence, wherever it is given."""

from pathlib import Path

import pandas as pd
import pytest

import buttermilk_nb as bm
from buttermilk_nb.corpus.as_corpus import as_corpus

CALM = bm.Criteria("calm", "Is it calm?")
CALLS = {
    "sheet": lambda given: bm.coding_sheet(given, CALM, coder="kf"),
    "sample": lambda given: bm.draw_sample(given, 1, seed=1),
    "assign": lambda given: bm.assign_coders(given, ["kf", "ab"]),
    "import": lambda given: bm.import_labels(pd.DataFrame({"record_id": ["a"], "kf": ["yes"]}), given, CALM),
    "statement": lambda given: bm.data_statement(corpus=given),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("given", [["a text"], pd.DataFrame({"text": ["a"]})], ids=["list", "frame"])
def test_it_says_what_is_needed_and_how_to_make_it(project, call, given):
    with pytest.raises(bm.SetupError, match=rf"needs a Corpus, not {type(given).__name__}; make one with bm.load"):
        CALLS[call](given)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", "text 1: it is blank."),
        (["One.", " \n"], "text 2: it is blank."),
        (["One.", "One."], "text 2: the same text is in text 1; give dictionaries with a `record_id`"),
        ([{"content": "One."}, {"content": ""}], "record 2: no text in `content`."),
    ],
)
def test_messages_speak_of_texts_where_there_are_no_lines(source, message):
    with pytest.raises(bm.SetupError) as found:
        as_corpus(source, "`judge`")
    assert message in str(found.value)


def test_messages_speak_of_rows_of_a_frame():
    with pytest.raises(bm.SetupError, match=r"^row 2: no text in `text`\.$"):
        as_corpus(pd.DataFrame({"text": ["One.", ""]}), "`judge`")


@pytest.mark.parametrize("names", [["talk.docx", "a b.pdf"], [Path("talk.docx")]])
def test_a_list_of_file_names_is_not_read_as_texts(names):
    for load in (bm.load, lambda given: as_corpus(given, "`judge`")):
        with pytest.raises(bm.SetupError, match="is the name of a file|not PosixPath"):
            load(names)
    assert len(bm.load(["I read it.", "It is in notes.md"])) == 2
