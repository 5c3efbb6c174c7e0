"""Records with values that no file can hold, patterns that never end, ids that look the same: one sentence each."""

from __future__ import annotations

import random

import pytest

import buttermilk_nb as bm
from buttermilk_nb.analysis.frames.quotations import SearchableText, quoted_passages, unverified_passages
from buttermilk_nb.codebook.edge_cases import edge_cases
from buttermilk_nb.corpus import segments
from buttermilk_nb.llm.providers.offline import dictionary


def nested(depth):
    value = "x"
    for _ in range(depth):
        value = [value]
    return value


CYCLIC = {}
CYCLIC["itself"] = CYCLIC
HOSTILE = {
    "260 deep": nested(260),
    "500 deep": nested(500),
    "5,000 deep": nested(5_000),
    "cyclic": CYCLIC,
    "5,000 digits": 10**5_000,
}
each = pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)


@each
def test_a_record_of_one_s_own_is_one_sentence(value):
    for fields in (
        {"metadata": {"m": value}},
        {"ground_truth": {"*": value}},
        {"labels": {"kf": {"*": value}}},
        {"m": value},
    ):
        with pytest.raises(bm.SetupError, match=r"^record `r1`: (lists or mappings are nested|a whole number has)"):
            bm.Record(record_id="r1", content="x", **fields)


@each
@pytest.mark.parametrize(
    "options",
    [{}, {"truth": "m"}, {"record_id": "m"}, {"content": "m"}, {"coders": {"kf": "m"}}, {"reasons": "m"}],
    ids=lambda options: next(iter(options), "metadata"),
)
def test_a_row_with_it_is_rejected_and_the_others_are_read(value, options):
    rows = [{"text": "One.", "m": value}, {"text": "Two.", "m": "b"}]
    corpus = bm.load(rows, **{"content": "text", **options})
    assert len(corpus) + len(corpus.rejected) == 2
    assert corpus.rejected.line.tolist() == [1]
    assert not set(corpus.rejected.reason.item()) & set("[{")


def test_ninety_levels_are_kept():
    assert bm.Record(content="x", m=nested(90)).metadata["m"] == nested(90)


def test_ids_that_only_look_different_to_a_machine_are_one_id():
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    with pytest.raises(bm.SetupError, match="ids must differ, also to the eye"):
        bm.Corpus([bm.Record(record_id=composed, content="a"), bm.Record(record_id=decomposed, content="b")])
    rows = [{"id": composed, "text": "a"}, {"id": decomposed, "text": "b"}]
    corpus = bm.load(rows, content="text", record_id="id")
    assert (len(corpus), corpus.rejected.reason.tolist()) == (1, [f"the id `{decomposed}` is already in record 1"])


# --- patterns ------------------------------------------------------------------------------------


def test_a_pattern_that_explodes_ends_in_a_sentence(monkeypatch):
    monkeypatch.setattr(segments, "PATTERN_TIMEOUT_S", 0.2)
    corpus = bm.Corpus([bm.Record(record_id="r1", content="a" * 60 + "!")])
    with pytest.raises(bm.SetupError, match=r"by='\(a\|aa\)\+\$' takes more than 0.2 s on one text; write a simpler"):
        corpus.segment(by="(a|aa)+$")


@pytest.mark.parametrize("by", ["(" * 5_000, "[", "a{99999999999}", "(?P<x", "*"])
def test_a_pattern_that_is_none_is_a_sentence(by):
    with pytest.raises(
        bm.SetupError, match=r"by \(`paragraph`, `sentence` or a regular expression\): .*(is not a regular|repeats)"
    ):
        bm.Corpus([bm.Record(record_id="r1", content="a b")]).segment(by=by)


MARKS = {
    "straight": '"a' * 1_000_000,
    "opening": "“" * 2_000_000,
    "angled": "«»" * 1_000_000,
    "mixed": '“„«「『‹"' * 300_000,
    "distinct passages": " ".join(f'"{n:x}"' for n in range(250_000)),
    "ellipses": '"' + "... " * 500_000 + '"',
    "spaces": '"' + " " * 2_000_000 + '…"',
}


@pytest.mark.parametrize("reason", MARKS.values(), ids=MARKS)
def test_two_megabytes_of_quotation_marks_have_at_most_five_hundred_passages(reason):
    text = "Nobody was there. " * 20_000
    passages = quoted_passages(reason)
    assert len(passages) <= 500
    assert set(unverified_passages(text, [reason])[reason]) <= set(passages)


def test_an_ellipsis_takes_the_spaces_around_it_along():
    text = SearchableText("It is late, and we go home.")
    for quote in ("It is ... go home", "It is   [ … ]   go home", "It is…go home", "it is [...] home."):
        assert text.find(quote) is not None


def test_edge_cases_that_somebody_damaged_are_prose():
    good = '- 2026-03-01, `calm`, answer "yes": It is "quiet": so. [records: ["r1"]]'
    damaged = [
        good.replace("2026-03-01", "2026-13-01"), good.replace('["r1"]', "[r1"), good.replace('["r1"]', '"r1"'),
        good.replace(" [records", " (records"), '- 2026-03-01, `calm`, answer "' + '": ' * 300_000,
        good.replace('["r1"]', "[" * 5_000 + "]" * 5_000),
    ]  # fmt: skip
    criteria = bm.Criteria("c", "\n".join(["Prose.", good, *damaged]), criteria={"calm": {"question": "Is it calm?"}})
    assert [(case.criterion, case.answer, case.record_ids) for case in edge_cases(criteria)] == [
        ("calm", "yes", ("r1",))
    ]


# --- cues ----------------------------------------------------------------------------------------


def test_a_dictionary_of_twenty_thousand_cues_tries_few_of_them_at_each_word():
    draw = random.Random(3)
    words = ["".join(draw.choices("abcdefghijklmnop", k=8)) for _ in range(20_000)]
    cues = dictionary.Cues({"no": words, "yes": ["council of war", "riff-raff*"]})
    text = " ".join("".join(draw.choices("abcdefghijklmnop", k=8)) for _ in range(2_000))
    dictionary._compiled_cue.cache_clear()
    hits = cues.find(f"{text} {words[5]} {words[77].upper()}. A Council  of\nwar, and RIFF-raffish.")
    assert {hit.cue for hit in hits} >= {words[5], words[77], "council of war", "riff-raff*"}
    assert dictionary._compiled_cue.cache_info().misses < 1_000


@pytest.mark.parametrize(
    ("cues", "text", "spans"),
    [
        (["ab", "abc"], "abc ab", [(0, 3), (4, 6)]),
        (["swarm*", "swarm of rats"], "Swarms. A swarm  of\nrats.", [(0, 6), (10, 24)]),
        (["漢字", "字"], "この漢字と字", [(2, 4), (5, 6)]),
        (["-x", "x"], "a -x x", [(2, 4), (5, 6)]),
        (["ıi"], "Iİ ii", [(0, 2)]),
        (["cafe\u0301"], "CAFÉ cafe\u0301", [(0, 4), (5, 10)]),
        (["a", "a b", "b c"], "a b c", [(0, 3)]),
        ([".", "..."], "x...", [(1, 4)]),
    ],
)
def test_the_longest_cue_at_the_earliest_place_counts(cues, text, spans):
    assert [(hit.start, hit.end) for hit in dictionary.Cues({"no": cues}).find(text)] == spans
