"""Answers that travel: exported, imported, and refilled from what the Store remembers."""

import json
import threading

import pytest

import buttermilk_nb as bm


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def written(path, *texts):
    path.write_bytes(b"\n".join(text if isinstance(text, bytes) else text.encode() for text in texts))
    return path


def line(key, value):
    return f'{{"key":"{key}","value":{value}}}'


# --- export ------------------------------------------------------------------------------------------


def test_each_answer_is_one_line_in_the_order_of_the_keys(cache, put_entries, cache_entry, cache_key, tmp_path):
    put_entries(**{cache_key(n): cache_entry(f"line\nbreak \u2028 {n}") for n in range(3)})
    assert cache.export(tmp_path / "answers.jsonl") == 3
    found = [json.loads(text) for text in (tmp_path / "answers.jsonl").read_bytes().splitlines()]
    assert [one["key"] for one in found] == sorted(cache_key(n) for n in range(3))
    assert all(set(one["value"]) == {"tag", "parts", "completion"} for one in found)


def test_an_export_replaces_the_file_at_once_and_leaves_nothing_beside_it(
    cache, put_entries, cache_entry, cache_key, tmp_path
):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "answers.jsonl").write_text("older")
    put_entries(**{cache_key(0): cache_entry()})
    cache.export(str(tmp_path / "out" / "answers.jsonl"))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["answers.jsonl"]
    assert len(lines(tmp_path / "out" / "answers.jsonl")) == 1


def test_an_export_that_cannot_be_written_is_a_setup_error_and_leaves_nothing(
    cache, put_entries, cache_entry, tmp_path
):
    put_entries(k0=cache_entry())
    (tmp_path / "folder.jsonl").mkdir()
    for path in (tmp_path / "no folder" / "answers.jsonl", tmp_path / "folder.jsonl"):
        with pytest.raises(bm.SetupError, match="cannot be written"):
            cache.export(path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "folder.jsonl"]


def test_what_cannot_be_read_is_left_out_with_a_warning(cache, put_entries, cache_entry, cache_key, tmp_path):
    put_entries(**{cache_key(0): cache_entry(), cache_key(1): "cut sho"})
    with pytest.warns(UserWarning, match="1 of the cache's rows cannot be read and were left out of answers.jsonl"):
        assert cache.export(tmp_path / "answers.jsonl") == 1


# --- import ------------------------------------------------------------------------------------------


def test_a_journey_leaves_every_entry_the_same_text(cache, put_entries, cache_entry, cache_key, tmp_path, make_cache):
    sent = {
        cache_key(0): cache_entry('ü ñ 判 🎈 \u2028 \x00 \\ "', cost_usd=0.00001234, latency_s=1e-7),
        cache_key(1): cache_entry("long " * 20_000, tokens_in=12),
        cache_key(2): cache_entry("", refusal="no", finish_reason="stop"),
    }
    put_entries(**sent)
    cache.export(tmp_path / "answers.jsonl")
    other = make_cache("other")
    done = other.import_(tmp_path / "answers.jsonl")
    assert (done.added, done.already_there, done.clashes, done.refused) == (3, 0, 0, 0)
    assert {name: other.get(name) for name in sent} == sent


def test_importing_again_adds_nothing(cache, put_entries, cache_entry, cache_key, tmp_path):
    put_entries(**{cache_key(n): cache_entry(str(n)) for n in range(5)})
    cache.export(tmp_path / "answers.jsonl")
    done = cache.import_(tmp_path / "answers.jsonl")
    assert (done.added, done.already_there, done.clashes) == (0, 5, 0)


def test_the_same_answer_given_at_another_time_is_no_clash(cache, put_entries, cache_entry, cache_key, tmp_path):
    put_entries(**{cache_key(0): cache_entry("yes", day=0, cost_usd=0.1)})
    done = cache.import_(written(tmp_path / "in.jsonl", line(cache_key(0), cache_entry("yes", day=3))))
    assert (done.already_there, done.clashes) == (1, 0)


def test_another_answer_under_the_same_key_is_counted_and_the_first_is_kept(
    cache, put_entries, cache_entry, cache_key, tmp_path
):
    put_entries(**{cache_key(0): cache_entry("yes"), cache_key(1): cache_entry("yes")})
    theirs = written(
        tmp_path / "in.jsonl",
        line(cache_key(0), cache_entry("no")),
        line(cache_key(1), cache_entry("yes", finish_reason="length")),
    )
    done = cache.import_(theirs)
    assert (done.added, done.already_there, done.clashes) == (0, 0, 2)
    assert "2 with another answer than the cache (which is kept)" in repr(done)
    assert cache.get(cache_key(0)) == cache_entry("yes")


def test_a_key_that_a_file_names_twice_keeps_its_first_answer(cache, cache_entry, cache_key, tmp_path):
    done = cache.import_(
        written(tmp_path / "in.jsonl", line(cache_key(0), cache_entry("yes")), line(cache_key(0), cache_entry("no")))
    )
    assert (done.added, done.clashes) == (1, 1)
    assert cache.find().answer.item() == "yes"


def test_an_entry_that_could_not_be_read_is_replaced(cache, put_entries, cache_entry, cache_key, tmp_path):
    put_entries(**{cache_key(0): "cut sho"})
    assert cache.import_(written(tmp_path / "in.jsonl", line(cache_key(0), cache_entry("yes")))).added == 1
    assert cache.find().answer.item() == "yes"


def test_lines_that_are_no_answers_are_refused_with_their_numbers_and_the_rest_comes_in(
    cache, cache_entry, cache_key, tmp_path
):
    good, key_ = cache_entry(), cache_key(0)
    path = written(
        tmp_path / "in.jsonl",
        line(key_, good),
        "not JSON",
        "",
        "[1, 2]",
        '{"key": "k1-1", "value": {}}',
        line("k1-" + "G" * 32, good),
        line("../../etc/passwd", good),
        line("k1-" + "0" * 32 + "\\n", good),
        '{"key": 7, "value": {}}',
        f'{{"key":"{key_}","value":"{"text"}"}}',
        f'{{"key":"{key_}","value":{{"parts":{{}},"completion":{{}}}}}}',
        f'{{"key":"{key_}","value":{good},"more":1}}',
        line(key_, good.replace('"cost_usd":null', '"cost_usd":NaN')),
        line(key_, good.replace('"text":"yes"', '"text":"\\ud800"')),
        b"\xff\xfe\xfa",
        "[" * 100_000,
        '{"key":"k1-0","value":' + "9" * 100_000 + "}",
        line(cache_key(1), good),
    )
    done = cache.import_(path)
    assert (done.added, done.already_there, done.refused) == (2, 0, 15)
    assert done.problems[0] == "line 2 is not JSON"
    assert done.problems[1] == "line 4 is not a `key` and a `value`"
    assert [int(said.split()[1]) for said in done.problems] == [2, *range(4, 18)]
    assert "has a key that is not one of this package's" in done.problems[3]
    assert "has a value that is not an answer" in done.problems[7]
    assert len(cache) == 2


def test_a_line_that_is_too_long_is_skipped_and_the_next_one_read(cache, cache_entry, cache_key, tmp_path):
    path = written(
        tmp_path / "in.jsonl", line(cache_key(0), cache_entry("x" * 2**21)), line(cache_key(1), cache_entry("short"))
    )
    done = cache.import_(path, longest_line=2**20)
    assert (done.added, done.problems) == (1, ("line 1 is longer than 1 MB",))


def test_a_hundred_reasons_are_kept_of_ten_thousand(cache, tmp_path):
    done = cache.import_(written(tmp_path / "in.jsonl", *["nonsense"] * 10_000))
    assert (done.refused, len(done.problems)) == (10_000, 100)


def test_a_file_of_another_system_may_begin_with_a_mark_and_end_its_lines_with_two(
    cache, cache_entry, cache_key, tmp_path
):
    path = written(
        tmp_path / "in.jsonl",
        b"\xef\xbb\xbf" + line(cache_key(0), cache_entry()).encode() + b"\r",
        line(cache_key(1), cache_entry()),
    )
    assert cache.import_(path).added == 2


@pytest.mark.parametrize("name", ["missing.jsonl", "."])
def test_a_file_that_is_none_is_a_setup_error(cache, tmp_path, name):
    with pytest.raises(bm.SetupError, match="cannot be read: there is no such file"):
        cache.import_(tmp_path / name)


def test_a_file_that_turns_out_not_to_be_one_never_blocks(cache, tmp_path):
    with pytest.raises(bm.SetupError, match="no such file"):
        cache.import_("/dev/zero")


# --- rebuild -----------------------------------------------------------------------------------------


def test_a_lost_cache_is_refilled(cache, cache_entry, cache_key, make_cache):
    pairs = [(cache_key(n), cache_entry(str(n))) for n in range(2_500)]
    assert cache.rebuild(iter(pairs)) == 2_500
    assert all(cache.get(name) == value for name, value in pairs)
    assert len(make_cache()) == 2_500


def test_what_is_there_stays_and_is_not_counted(cache, put_entries, cache_entry, cache_key):
    put_entries(**{cache_key(0): cache_entry("mine")})
    assert cache.rebuild([(cache_key(0), cache_entry("stored")), (cache_key(1), cache_entry("stored"))]) == 1
    assert sorted(cache.find().answer) == ["mine", "stored"]
    assert cache.get(cache_key(0)) == cache_entry("mine")


def test_it_may_be_refilled_from_any_thread_while_answers_are_put(cache, put_entries, cache_entry, cache_key):
    counts = []
    threads = [
        threading.Thread(
            target=lambda: counts.append(cache.rebuild((cache_key(n), cache_entry()) for n in range(1_500)))
        )
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    put_entries(**{f"put{n}": cache_entry() for n in range(300)})
    for thread in threads:
        thread.join()
    assert (sum(counts), len(cache)) == (1_500, 1_800)


def test_refilling_with_nothing_is_nothing(cache):
    assert cache.rebuild([]) == 0


@pytest.mark.parametrize("pair", [("k", b"bytes"), (7, "text"), ("k", "\ud800"), ("k", None)])
def test_what_is_not_text_is_refused_in_a_sentence(cache, pair):
    with pytest.raises(bm.errors.StoreError, match="could not be written to the cache"):
        cache.rebuild([pair])
    assert len(cache) == 0


def test_a_batch_that_fails_is_not_there_in_part(cache, cache_entry):
    with pytest.raises(bm.errors.StoreError):
        cache.rebuild([("good", cache_entry()), ("bad", None)])
    assert cache.get("good") is None
