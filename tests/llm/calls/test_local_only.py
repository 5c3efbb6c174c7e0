"""Texts that stay here although others like them leave, and texts that could not be redacted."""

import json

import pytest
from support.chat_server import messages_text

import buttermilk_nb as bm

REMOTE = {"local": False, "prices": {"input": 1.0, "output": 1.0}}


def flow(**fields):
    return bm.Flow("tone", [bm.Judge("judge", criteria=bm.Criteria("calm", "Is it calm?", flag="no"), **fields)])


def twins(first):
    """Two records of one text, of which one stays here."""
    pair = [
        bm.Record(record_id="away", content="The very same text."),
        bm.Record(record_id="home", content="The very same text.", local_only=True),
    ]
    return bm.Corpus(sorted(pair, key=lambda record: record.record_id != first))


def statuses(run):
    return dict(run.scores()[["record_id", "status"]].values.tolist())


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("first", ["away", "home"])
def test_a_record_that_stays_here_is_skipped_although_its_twin_leaves(server, make_study, first, concurrency):
    server.wait_s = 0.05
    make_study(toy=REMOTE, allow=["hosted_vllm"])
    run = flow().run(twins(first), concurrency=concurrency)
    assert statuses(run) == {"away": "ok", "home": "skipped"}
    assert len(server.received) == 1
    assert bm.sql("select record_id from egress").record_id.tolist() == ["away"]


@pytest.mark.parametrize("mode", ["use", "only", "refresh"])
def test_it_is_skipped_the_next_time_too(server, make_study, mode):
    make_study(toy=REMOTE, allow=["hosted_vllm"])
    flow().run(twins("home"))
    assert statuses(flow().run(twins("home"), cache=mode)) == {"away": "ok", "home": "skipped"}
    assert bm.sql("select distinct record_id from egress").record_id.tolist() == ["away"]


def test_a_study_of_which_some_texts_stay_here_can_be_replayed(server, make_study):
    make_study(toy=REMOTE, allow=["hosted_vllm"])
    corpus = bm.Corpus(
        [bm.Record(record_id="away", content="One."), bm.Record(record_id="home", content="Two.", local_only=True)]
    )
    first = statuses(flow().run(corpus))
    assert statuses(flow().run(corpus, cache="only")) == first == {"away": "ok", "home": "skipped"}
    assert len(server.received) == 1


def person(text):
    """Finds names, and fails on one text."""
    if "Ola" in text:
        raise ValueError("no such name")
    return ["Kim"] if "Kim" in text else []


@pytest.fixture
def names(make_study):
    """In a project that redacts with that function, two texts of which it fails on the second."""
    make_study(toy=REMOTE, allow=["hosted_vllm"], confirm_above=1).redaction = bm.Redaction(find=person)
    return bm.Corpus([bm.Record(record_id="good", content="Kim."), bm.Record(record_id="bad", content="Kim met Ola.")])


def test_a_text_that_could_not_be_redacted_costs_its_cell_and_does_not_leave(server, names):
    run = flow().run(names, yes=True)
    assert statuses(run) == {"good": "ok", "bad": "error"}
    failed = run.errors().iloc[0]
    assert (failed.record_id, failed.error_type) == ("bad", "SetupError")
    assert "`person` failed on a text, so it was not sent: ValueError" in failed.error_message
    assert ["Ola" in messages_text(body) for body in server.received] == [False]


@pytest.mark.parametrize("ask", ["check", "estimate", "run"])
def test_where_it_is_found_before_the_run_the_record_is_named(server, names, ask):
    backwards = bm.Corpus(names.records[::-1])  # the first record of each kind is rendered before anything is sent
    with pytest.raises(bm.SetupError, match=r"`bad`.*`person` failed"):
        getattr(flow(), ask)(backwards)
    assert server.received == []


@pytest.mark.parametrize("ask", ["estimate", "run"])
def test_where_it_is_found_when_calls_are_counted_the_record_is_named(server, names, ask):
    with pytest.raises(bm.SetupError, match=r"`bad`.*`person` failed"):
        getattr(flow(), ask)(names)
    assert server.received == []


@pytest.mark.parametrize("found", [None, 7, [7], [None, 3]])
def test_a_function_that_finds_no_texts_is_a_sentence(server, make_study, found):
    project = make_study(toy=REMOTE, allow=["hosted_vllm"])

    def wrong(text):
        return found

    project.redaction = bm.Redaction(find=wrong, version="1")
    with pytest.raises(bm.SetupError, match=r"`only`.*`wrong` failed on a text, so it was not sent"):
        flow().run(bm.Corpus([bm.Record(record_id="only", content="Kim met Ola.")]))
    assert json.dumps(server.received) == "[]"
