"""What is in the cache: counted, found, and dropped only when it is named."""

import json

import pytest

import buttermilk_nb as bm

# --- stats -------------------------------------------------------------------------------------------


def test_an_empty_cache_has_no_answers(cache):
    stats = cache.stats()
    assert (stats.answers, stats.damaged, stats.models) == (0, 0, ())
    assert repr(stats).startswith("0 answers, ")


def test_answers_are_counted_by_model_with_their_times_and_cost(cache, put_entries, cache_entry):
    put_entries(
        k0=cache_entry(model="b/two", day=3, cost_usd=0.5),
        k1=cache_entry(model="b/two", day=1, cost_usd=0.25),
        k2=cache_entry(model="b/two", day=2),
        k3=cache_entry(model="a/one"),
    )
    one, two = cache.stats().models
    assert (one.model, one.answers, one.unpriced) == ("a/one", 1, 1)
    assert (two.model, two.answers, two.cost_usd, two.unpriced) == ("b/two", 3, 0.75, 1)
    assert (f"{two.first:%d}", f"{two.last:%d}") == ("02", "04")


def test_the_size_is_that_of_the_files(cache, put_entries, cache_entry):
    put_entries(k0=cache_entry("ü" * 100_000))
    cache.close()
    found = cache.stats().bytes_on_disk
    assert found == sum(path.stat().st_size for path in cache.folder.rglob("*") if path.is_file())
    assert found > 400_000  # text and raw, two bytes a letter


def test_stats_read_well_in_a_terminal_and_in_a_notebook(cache, put_entries, cache_entry):
    put_entries(k0=cache_entry(day=0, cost_usd=0.5), k1=cache_entry(day=1), k2=cache_entry(model="<b>/x"), k3="cut sho")
    lines = str(cache.stats()).splitlines()
    assert lines[0].startswith("3 answers, ")
    assert lines[0].endswith(" on disk, 1 damaged row")
    assert lines[2] == "  a/one, 2 answers, 2026-11-01 to 2026-11-02, $0.5000 and 1 of unknown cost"
    assert "&lt;b&gt;/x" in cache.stats()._repr_html_()
    assert "<b>" not in cache.stats()._repr_html_()


def test_stats_are_a_frame_too(cache, put_entries, cache_entry):
    put_entries(k0=cache_entry(), k1=cache_entry(model="b/two"))
    assert cache.stats().df().model.tolist() == ["a/one", "b/two"]


def test_stats_of_an_empty_cache_are_an_empty_frame_with_its_columns(cache):
    assert list(cache.stats().df()) == ["model", "answers", "first", "last", "cost_usd", "unpriced"]


# --- find --------------------------------------------------------------------------------------------


def test_everything_is_found_where_nothing_is_asked_the_oldest_first(cache, put_entries, cache_entry):
    put_entries(k0=cache_entry("second", day=2), k1=cache_entry("first", day=1, finish_reason="stop"))
    found = cache.find()
    assert list(found) == ["key", "model", "answered_at", "finish_reason", "answer"]
    assert found.answer.tolist() == ["first", "second"]
    assert found.finish_reason.fillna("-").tolist() == ["stop", "-"]
    assert str(found.answered_at.dtype) == "datetime64[us]"


def test_nothing_found_has_the_same_columns_and_types(cache, put_entries, cache_entry):
    put_entries(k0=cache_entry())
    assert cache.find(model="c/none").dtypes.equals(cache.find().dtypes)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"text": "VERMIN"}, ["quotes", "thinks"]),
        ({"text": 'said "no"'}, ["escapes"]),
        ({"text": "straße"}, ["accents"]),
        ({"text": "nowhere"}, []),
        ({"model": "b/two"}, ["thinks"]),
        ({"model": "b/two", "text": "no"}, []),
        ({"record_hash": "r1-7"}, ["quotes"]),
        ({"keys": "refuses"}, ["refuses"]),
        ({"keys": ["refuses", "quotes", "no such key"]}, ["quotes", "refuses"]),
        ({"keys": []}, []),
    ],
)
def test_entries_are_found_by_text_model_record_and_key(cache, put_entries, cache_entry, asked, found):
    put_entries(
        quotes=cache_entry("It says 'vermin'.", parts={"record": "r1-7"}),
        thinks=cache_entry("yes", raw='{"thinking": "Vermin is a slur."}', model="b/two"),
        escapes=cache_entry("...", raw=json.dumps({"text": 'She said "no".'})),
        accents=cache_entry("...", raw=json.dumps({"text": "Straße"})),
        refuses=cache_entry("", refusal="I cannot help."),
    )
    assert sorted(cache.find(**asked).key) == found


def test_of_a_long_answer_the_beginning_is_shown_in_one_line_and_of_a_refusal_its_text(cache, put_entries, cache_entry):
    put_entries(k0=cache_entry("Reasons:\n" + "because " * 100), k1=cache_entry("", refusal="I cannot help.", day=1))
    long, refusal = cache.find().answer
    assert (len(long), long[:18], refusal) == (80, "Reasons: because b", "I cannot help.")


def test_what_cannot_be_read_is_counted_and_hides_nothing(cache, put_entries, cache_entry, tamper):
    put_entries(
        k0=cache_entry("kept"), k1='{"tag": "e1", "cut', k2="[]", k3=cache_entry("pickled"), k4=cache_entry("bytes")
    )
    tamper("update Cache set mode = 4 where key = 'k3'")
    tamper("update Cache set value = cast(x'fffefa' as text) where key = 'k4'")
    found = cache.find()
    assert (found.answer.tolist(), found.attrs["damaged"]) == (["kept"], 4)
    assert (cache.stats().answers, cache.stats().damaged) == (1, 4)


@pytest.mark.parametrize(
    "value",
    [
        "[" * 100_000,
        '{"parts": {"model": 7}, "completion": {"text": "x", "raw": "", "answered_at": "2026-01-01T00:00:00"}}',
        '{"parts": {}, "completion": {"text": "x", "raw": "", "answered_at": "0001-01-01T00:00:00+10:00"}}',
        '{"parts": {}, "completion": {"text": "x", "raw": "", "answered_at": "yesterday"}}',
        '{"parts": {}, "completion": {"text": "x", "raw": "", "answered_at": "2026-01-01T00:00:00", "cost_usd": NaN}}',
        '{"parts": {}, "completion": {"text": "\\ud800", "raw": "", "answered_at": "2026-01-01T00:00:00"}}',
        "",
        "null",
    ],
    ids=["deep", "a number", "before the calendar", "no time", "no number", "half a character", "empty", "null"],
)
def test_an_odd_entry_is_damaged_and_never_fatal(cache, put_entries, value):
    put_entries(k0=value)
    assert (cache.stats().damaged, len(cache.find())) == (1, 0)


def test_a_time_with_a_zone_is_shown_in_utc(cache, put_entries, cache_entry):
    put_entries(k0=cache_entry().replace("2026-11-01T12:00:00", "2026-11-01T12:00:00+02:00"), k1=cache_entry(day=1))
    assert cache.find().answered_at.dt.hour.tolist() == [10, 12]


def test_a_later_version_may_keep_more_in_an_entry(cache, put_entries, cache_entry):
    value = json.loads(cache_entry("yes"))
    value["completion"]["mood"] = "calm"
    put_entries(k0=json.dumps(value | {"tag": "e2"}))
    assert cache.find().answer.tolist() == ["yes"]


# --- drop --------------------------------------------------------------------------------------------


def test_named_keys_are_dropped_and_counted(cache, put_entries, cache_entry):
    put_entries(k0=cache_entry(), k1=cache_entry(), k2=cache_entry())
    assert cache.delete(["k0", "k1", "no such key"]) == 2
    assert cache.find().key.tolist() == ["k2"]


@pytest.mark.parametrize("named", ["one key", "frame", "column"])
def test_one_key_or_what_find_returned_can_be_dropped(cache, put_entries, cache_entry, named):
    put_entries(k0=cache_entry("old"), k1=cache_entry("new"))
    found = cache.find(text="old")
    assert cache.delete({"one key": "k0", "frame": found, "column": found.key}[named]) == 1
    assert cache.find().key.tolist() == ["k1"]


def test_a_models_answers_are_dropped_together(cache, put_entries, cache_entry):
    put_entries(k0=cache_entry(), k1=cache_entry(model="b/two"), k2=cache_entry(model="b/two"))
    assert cache.delete(model="b/two") == 2
    assert cache.delete(model="b/two") == 0
    assert len(cache) == 1


def test_everything_goes_only_when_it_is_asked_for_in_so_many_words(cache, put_entries, cache_entry, tamper):
    put_entries(k0=cache_entry(), k1=cache_entry(), k2="damaged")
    tamper("update Cache set raw = 0, key = x'80049e' where key = 'k1'")
    assert cache.delete(everything=True) == 3
    assert len(cache) == 0


@pytest.mark.parametrize(
    "asked", [{}, {"keys": ["k0"], "model": "a/one"}, {"model": "a/one", "everything": True}, {"keys": None}]
)
def test_anything_else_is_a_setup_error_and_drops_nothing(cache, put_entries, cache_entry, asked):
    put_entries(k0=cache_entry())
    with pytest.raises(bm.SetupError, match="one of the three. Nothing was deleted"):
        cache.delete(**asked)
    assert len(cache) == 1


def test_no_keys_drop_nothing_and_an_empty_model_is_not_every_model(cache, put_entries, cache_entry):
    put_entries(k0=cache_entry())
    assert cache.delete([]) == cache.delete(model="") == 0
    assert len(cache) == 1


@pytest.mark.parametrize("length", [1, 5_000], ids=["in the database", "in a file"])
def test_what_was_dropped_is_nowhere_on_the_disk_any_more(cache, put_entries, cache_entry, length):
    put_entries(k0=cache_entry("a person's words " * length), k1=cache_entry("kept " * length))
    assert spelt(cache, b"a person's words")
    cache.delete("k0")
    assert not spelt(cache, b"a person's words")
    assert spelt(cache, b"kept")


def spelt(cache, words):
    return any(words in path.read_bytes() for path in cache.folder.rglob("*") if path.is_file())
