"""Forgetting a person: the words go from everywhere, the arithmetic stays."""

import json
import subprocess
import sys

import duckdb
import pytest
from support.study import flow, judge, respect

import buttermilk_nb as bm
from buttermilk_nb.human_coding.assignments import assign_coders
from buttermilk_nb.human_coding.coders import describe_coder as declare
from buttermilk_nb.human_coding.labels import keep_labels, make_label
from buttermilk_nb.schema import Assessment
from buttermilk_nb.store.erasure.compact import rewrite_file
from buttermilk_nb.store.erasure.forget import Forgotten, forget
from buttermilk_nb.store.exporters.export import export
from buttermilk_nb.store.tombstones import forgotten_records
from buttermilk_nb.store.verify import verify
from buttermilk_nb.store.write_batch import WriteBatch

SECRET = "ZEBRAFINCH"
PERSON = "the-person"


def record(record_id, content, **fields):
    return bm.Record(record_id=record_id, content=content, labels={"kf": {"respect": "yes"}}, **fields)


@pytest.fixture
def corpus():
    """Three records; one of them is about a person who wants to be forgotten."""
    return bm.Corpus(
        [
            record(PERSON, f"{SECRET} are vermin. {SECRET} left.", outlet=SECRET, ground_truth={"respect": "no"}),
            record("r1", "The choir sang for an hour."),
            record("r2", "They are vermin and should leave."),
        ]
    )


@pytest.fixture
def two_model_project(tmp_path):
    return bm.init("test", path=tmp_path / "project", models=["offline/strict", "double/answer"])


@pytest.fixture
def run(two_model_project, corpus):
    """A run over all three."""
    return flow().run(corpus)


def cells_of_file(store):
    """Every value of every table of the file, as one text."""
    with store.reading() as con:
        tables = [name for (name,) in con.execute("select table_name from duckdb_tables()").fetchall()]
        return {name: str(con.execute(f"from {name}").fetchall()) for name in tables}


def files_with(folder, what):
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and what.encode() in path.read_bytes()
    )


# --- the words go ------------------------------------------------------------------------------------


@pytest.fixture
def said_everywhere(two_model_project, run, secret_unit):
    """The secret stands in every place that the Store has for words, in the cache and in the log."""
    two_model_project.store.write(WriteBatch(units=[secret_unit(run.run_id, PERSON)]))
    with two_model_project.store.writing() as con:
        con.execute(
            "insert into events values ('e1', 'ErrorEvent', ?, null, 'judge', ?, now()::timestamp)",
            [f"{run.run_id}/{PERSON}", json.dumps({"message": SECRET})],
        )
        con.execute(
            "insert into events values ('e2', 'StatusEvent', ?, null, 'runner', ?, now()::timestamp)",
            [run.run_id, json.dumps({"message": f"record `{PERSON}` {SECRET}"})],
        )
    log = two_model_project.folder / "logs" / "events.jsonl"
    with log.open("a") as handle:
        for row in ({"transaction_id": f"{run.run_id}/{PERSON}", "payload": SECRET}, {"transaction_id": "x/r1"}):
            handle.write(json.dumps(row) + "\n")
    return two_model_project


def test_no_table_holds_the_text_or_the_name_afterwards(said_everywhere):
    store = said_everywhere.store
    before = cells_of_file(store)
    held = {name for name, text in before.items() if SECRET in text}
    assert held == {"records", "texts", "said", "outcomes", "calls", "redactions", "events"}
    forget(store, said_everywhere.cache, record_id=PERSON)
    after = cells_of_file(store)
    assert {name for name, text in after.items() if SECRET in text or PERSON in text} == set()


def test_the_bytes_are_gone_from_every_file_of_the_project(said_everywhere):
    folder = said_everywhere.folder
    assert "traces.duckdb" in files_with(folder, SECRET)
    assert "logs/events.jsonl" in files_with(folder, SECRET)
    forget(said_everywhere.store, said_everywhere.cache, record_id=PERSON)
    said_everywhere.cache.close()
    assert files_with(folder, SECRET) == []
    assert files_with(folder, PERSON) == []
    assert [p.name for p in folder.glob(".*") if p.suffix not in (".lock", ".next")] == []


def test_other_records_keep_everything(said_everywhere):
    store = said_everywhere.store
    query = "select * from scores where record_id <> ? order by trace_id, criterion"
    requests = "select request, response from calls_full join traces using (trace_id) where record_id <> ? order by all"
    before = store.df(query, [PERSON]), store.df(requests, [PERSON])
    forget(store, said_everywhere.cache, record_id=PERSON)
    assert store.df(query.replace("<> ?", "in ('r1', 'r2')")).equals(before[0])
    assert store.df(requests.replace("<> ?", "in ('r1', 'r2')")).equals(before[1])


def test_every_hash_that_is_made_of_the_text_is_another(said_everywhere):
    store = said_everywhere.store
    columns = {"cells": "record_hash, details_hash, design_id", "traces": "record_hash, design_id",
               "calls": "request_hash, response_hash, cache_key"}  # fmt: skip
    old = set()
    for table, names in columns.items():
        key = "trace_id in (select trace_id from traces where record_id = ?)" if table == "calls" else "record_id = ?"
        old |= {value for row in store.df(f"select {names} from {table} where {key}", [PERSON]).values for value in row}
    old |= {store.df("select corpus_hash from runs").corpus_hash.item()}
    assert len(old) > 6
    forget(store, said_everywhere.cache, record_id=PERSON)
    text = str(cells_of_file(store))
    assert {value for value in old if value in text} == set()


def test_the_answers_in_the_cache_go_and_only_those(two_model_project, run):
    before = len(two_model_project.cache)
    done = forget(two_model_project.store, two_model_project.cache, record_id=PERSON)
    assert done.n_cached == 2
    assert len(two_model_project.cache) == before - 2


def test_without_a_cache_the_store_is_cleaned_all_the_same(two_model_project, run):
    assert forget(two_model_project.store, None, record_id=PERSON).n_cached == 0
    assert SECRET not in str(cells_of_file(two_model_project.store))


def test_segments_go_with_their_record(two_model_project, corpus):
    flow().run(corpus.segment("sentence"))
    flow().run(corpus)
    assert f"{PERSON}#1" in cells_of_file(two_model_project.store)["cells"]
    forget(two_model_project.store, two_model_project.cache, record_id=PERSON)
    assert SECRET not in str(cells_of_file(two_model_project.store))
    assert PERSON not in str(cells_of_file(two_model_project.store))


def test_every_version_of_a_record_goes(two_model_project, corpus):
    flow().run(corpus)
    flow().run(bm.Corpus([record(PERSON, f"Another text with {SECRET}.")]))
    forget(two_model_project.store, two_model_project.cache, record_id=PERSON)
    assert SECRET not in str(cells_of_file(two_model_project.store))


def test_rows_that_waited_in_the_spool_are_forgotten_too(two_model_project, run, secret_unit):
    from buttermilk_nb.store import spool

    spool.add(two_model_project.store.path, WriteBatch(units=[secret_unit(run.run_id, PERSON)]))
    forget(two_model_project.store, two_model_project.cache, record_id=PERSON)
    two_model_project.cache.close()
    assert files_with(two_model_project.folder, SECRET) == []


def test_a_text_that_another_record_shares_stays_and_is_counted(two_model_project, run, secret_unit):
    same = {"request": "the same question", "response": "the same answer", "key": "k1-same"}
    two_model_project.store.write(
        WriteBatch(units=[secret_unit(run.run_id, PERSON, **same), secret_unit(run.run_id, "r1", **same)])
    )
    done = forget(two_model_project.store, two_model_project.cache, record_id=PERSON)
    assert done.shared_texts == 2
    assert "2 requests or answers stay, because another record has the same text." in repr(done)
    texts = cells_of_file(two_model_project.store)["texts"]
    assert "the same question" in texts
    shared = two_model_project.store.df(
        "select request from calls_full join traces using (trace_id) where record_id = 'r1'"
    )
    assert "the same question" in shared.request.tolist()


def test_the_wording_of_prompt_and_criteria_stays(two_model_project, run):
    forget(two_model_project.store, two_model_project.cache, record_id=PERSON)
    kinds = two_model_project.store.df("select distinct kind from texts").kind.tolist()
    assert {"prompt", "criteria", "schema"} <= set(kinds)


# --- the arithmetic stays ----------------------------------------------------------------------------


def test_counts_shares_and_costs_of_the_run_are_what_they_were(two_model_project, run):
    def numbers():
        return two_model_project.store.df(
            "select judge, model, criterion, status, category, flagged, count(*) as n from scores "
            "group by all order by all"
        ), run.counts

    before = numbers()
    forget(two_model_project.store, two_model_project.cache, record_id=PERSON)
    after = numbers()
    assert after[0].equals(before[0])
    assert after[1] == before[1] == {"ok": 6}


def test_rows_that_belonged_together_still_do(two_model_project, run):
    forget(two_model_project.store, two_model_project.cache, record_id=PERSON)
    with two_model_project.store.reading() as con:
        joined = con.execute(
            "select count(*), count(distinct c.record_id) from cells c "
            "join traces t using (run_id, design_id, record_id, record_hash) "
            "join scores s using (trace_id, design_id, record_hash) where c.record_id like 'forgotten-%'"
        ).fetchone()
    assert joined == (2, 1)
    assert len(run.scores()) == 6
    assert len(run.errors()) == 0


def test_the_same_record_in_two_runs_is_one_again(two_model_project, corpus):
    flow().run(corpus)
    flow().run(corpus)
    forget(two_model_project.store, two_model_project.cache, record_id=PERSON)
    found = two_model_project.store.df(
        "select count(distinct design_id) as n from latest_scores where record_id like 'forgotten%'"
    )
    assert found.n.item() == 2


def test_a_row_says_that_something_was_removed_and_which_runs_it_changed(two_model_project, run):
    forget(two_model_project.store, two_model_project.cache, record_id=PERSON, reason="asked for on 3 May")
    found = two_model_project.store.df("select * from tombstones order by kind")
    assert found.kind.tolist() == ["record", "run_changed"]
    assert found.what.tolist()[1] == run.run_id
    assert PERSON not in found.what.tolist()[0]
    assert set(found.reason) == {"asked for on 3 May"}
    assert found.n_rows.tolist()[0] >= 7


def test_the_file_verifies_afterwards_and_says_why_a_run_is_another(two_model_project, run, corpus):
    flow().run(corpus[1:])
    forget(two_model_project.store, two_model_project.cache, record_id=PERSON)
    found = verify(two_model_project.store)
    assert found.ok.all()
    assert found.meaning[found.run_id == run.run_id].str.startswith("changed by forget on").any()
    with two_model_project.store.writing() as con:
        con.execute("update cells set model = 'another' where run_id <> ?", [run.run_id])
    assert not verify(two_model_project.store).ok.all()


def test_who_comes_back_is_known(two_model_project, run):
    forget(two_model_project.store, two_model_project.cache, record_id=PERSON)
    with two_model_project.store.reading() as con:
        assert forgotten_records(con, ["r1", PERSON]) == [PERSON]


def test_a_project_goes_on_afterwards(two_model_project, run, corpus):
    forget(two_model_project.store, two_model_project.cache, record_id=PERSON)
    again = flow().run(corpus[1:])
    assert again.counts == {"ok": 4}
    assert two_model_project.store.df("select count(*) as n from latest_scores").n.item() == 6


# --- what is said ------------------------------------------------------------------------------------


def test_places_that_may_still_hold_it_are_listed(two_model_project, run, tmp_path):
    export(two_model_project.store, tmp_path / "shared with Ana", tables=["records"])
    kept = two_model_project.folder / "traces.duckdb.before-v2"
    kept.write_bytes(b"x")
    done = forget(two_model_project.store, two_model_project.cache, record_id=PERSON)
    assert done.remaining == (str(tmp_path / "shared with Ana"), str(kept))
    assert str(kept) in repr(done)
    assert "notebooks with it in their outputs" in repr(done)


def test_the_log_may_lie_in_another_folder(two_model_project, run, tmp_path):
    (tmp_path / "elsewhere" / "logs").mkdir(parents=True)
    log = tmp_path / "elsewhere" / "logs" / "events.jsonl"
    log.write_text(json.dumps({"transaction_id": f"x/{PERSON}"}) + "\n" + json.dumps({"transaction_id": "x/r1"}) + "\n")
    (log.parent / "debug.txt").write_text("x")
    done = forget(two_model_project.store, two_model_project.cache, record_id=PERSON, folder=tmp_path / "elsewhere")
    assert done.n_log_lines == 1
    assert log.read_text() == '{"transaction_id": "x/r1"}\n'
    assert done.remaining == (str(log.parent / "debug.txt"),)


def test_images_go_with_their_record_unless_another_has_them(two_model_project, run):
    with two_model_project.store.writing() as con:
        for name, owners in (("t1-own", [PERSON]), ("t1-shared", [PERSON, "r1"])):
            con.execute("insert into texts values (?, 'media', null, null, ?)", [name, f"picture {name}"])
            con.execute(
                "update records set media = to_json(list_append(coalesce(from_json(media, '[\"VARCHAR\"]'), []), ?)) "
                "where list_contains(?, record_id)",
                [name, owners],
            )
    assert forget(two_model_project.store, two_model_project.cache, record_id=PERSON).shared_texts == 1
    left = two_model_project.store.df("select text_hash from texts where kind = 'media'").text_hash.tolist()
    assert left == ["t1-shared"]


def test_who_was_sent_the_text_is_named(two_model_project, run, secret_unit):
    two_model_project.store.write(WriteBatch(units=[secret_unit(run.run_id, PERSON)]))
    done = forget(two_model_project.store, two_model_project.cache, record_id=PERSON)
    assert done.sent_to == ("far",)
    assert "It was sent to far: ask them to delete it." in repr(done)


def test_the_answer_does_not_name_the_person(two_model_project, run):
    assert PERSON not in repr(forget(two_model_project.store, two_model_project.cache, record_id=PERSON))


def test_a_record_that_there_is_not_is_answered_with_the_nearest(two_model_project, run):
    with pytest.raises(bm.SetupError, match="has no record `the-persn`; did you mean `the-person`"):
        forget(two_model_project.store, two_model_project.cache, record_id="the-persn")


def test_forgetting_again_only_writes_the_file_anew(two_model_project, run):
    forget(two_model_project.store, two_model_project.cache, record_id=PERSON)
    assert forget(two_model_project.store, two_model_project.cache, record_id=PERSON).n_rows == 0


@pytest.mark.parametrize("given", [{}, {"record_id": "a", "coder": "b"}])
def test_exactly_one_of_record_and_coder_is_given(two_model_project, given):
    with pytest.raises(bm.SetupError, match="either one record"):
        forget(two_model_project.store, two_model_project.cache, **given)


def test_a_failure_leaves_the_store_as_it_was(two_model_project, run, monkeypatch):
    before = cells_of_file(two_model_project.store)

    def fail(*_):
        raise duckdb.IOException("the disk is full")

    monkeypatch.setattr("buttermilk_nb.store.erasure.erase_record.drop_orphaned_texts", fail)
    with pytest.raises(bm.errors.StoreError, match="the disk is full"):
        forget(two_model_project.store, two_model_project.cache, record_id=PERSON)
    assert cells_of_file(two_model_project.store) == before


# --- coders ------------------------------------------------------------------------------------------


def test_a_coders_codes_go_from_every_record(two_model_project, run):
    assert "kf" in cells_of_file(two_model_project.store)["records"]
    done = forget(two_model_project.store, two_model_project.cache, coder="kf")
    assert (done.kind, done.n_rows, done.n_runs) == ("coder", 3, 1)
    text = str(cells_of_file(two_model_project.store))
    assert "'kf'" not in text
    assert '"kf"' not in text
    assert SECRET in text


def test_the_other_coders_stay(two_model_project):
    both = bm.Corpus(
        [bm.Record(record_id="a", content="One.", labels={"kf": {"respect": "no"}, "ab": {"respect": "yes"}})]
    )
    flow().run(both)
    forget(two_model_project.store, two_model_project.cache, coder="kf")
    assert json.loads(two_model_project.store.df("select labels from records").labels.item()) == {
        "ab": {"respect": "yes"}
    }


def test_a_hash_that_would_give_a_code_away_is_another(two_model_project, run):
    old = two_model_project.store.df("select distinct details_hash from cells").details_hash.tolist()
    old += two_model_project.store.df("select corpus_hash from runs").corpus_hash.tolist()
    forget(two_model_project.store, two_model_project.cache, coder="kf")
    text = str(cells_of_file(two_model_project.store))
    assert [value for value in old if value in text] == []


def test_a_record_gets_the_hash_that_it_has_without_the_codes(two_model_project, run, corpus):
    forget(two_model_project.store, two_model_project.cache, coder="kf")
    assert verify(two_model_project.store).ok.all()
    bare = bm.Corpus([item.model_copy(update={"labels": {}}) for item in corpus])
    flow().run(bare)
    assert two_model_project.store.df("select count(*) as n from records").n.item() == 3


def test_versions_that_differed_by_the_coder_alone_become_one(two_model_project, run, corpus):
    flow().run(bm.Corpus([item.model_copy(update={"labels": {}}) for item in corpus]))
    assert two_model_project.store.df("select count(*) as n from records").n.item() == 6
    forget(two_model_project.store, two_model_project.cache, coder="kf")
    assert two_model_project.store.df("select count(*) as n from records").n.item() == 3
    assert verify(two_model_project.store).ok.all()


def test_scores_still_find_their_record_and_its_truth(two_model_project, run):
    before = run.scores()
    forget(two_model_project.store, two_model_project.cache, coder="kf")
    assert run.scores().equals(before)
    assert before.truth.notna().sum() == 2


def test_a_coder_is_taken_out_of_what_the_run_says_of_its_corpus(two_model_project):
    rows = [{"id": "a", "text": "One.", "kf_column": "no"}]
    loaded = bm.load(rows, content="text", record_id="id", coders={"kf": {"respect": "kf_column"}})
    run = flow(judge(respect())).run(loaded)
    assert "kf" in two_model_project.store.df("select manifest from runs").manifest.item()
    forget(two_model_project.store, two_model_project.cache, coder="kf")
    assert "kf" not in two_model_project.store.df("select manifest from runs").manifest.item()
    assert (
        two_model_project.store.df("select what from tombstones where kind = 'run_changed'").what.item() == run.run_id
    )


@pytest.fixture
def coded(two_model_project, run, corpus):
    """Two people were given the three records, and have coded two of them, with words of the text."""
    questions = respect()
    assign_coders(corpus, ["kf", "ab"], overlap=1.0)
    declare("kf", profession="teacher")
    made = [
        make_label(
            questions.criteria[0], questions, corpus[name], coder=coder, answer="no", source="form",
            reasons=[f"{SECRET} is called vermin."], notes=f"of {SECRET}", quotes=[{"start": 0, "text": SECRET}],
        )
        for coder in ("kf", "ab")
        for name in (PERSON, "r1")
    ]  # fmt: skip
    keep_labels(two_model_project, made, records=list(corpus), documents=[questions])
    return two_model_project


def test_a_coders_labels_samples_and_groups_go_and_those_of_others_stay(coded):
    forget(coded.store, coded.cache, coder="kf")
    for table, n in (("labels", 2), ("samples", 3), ("coders", 1), ("latest_labels", 2)):
        assert coded.store.df(f"select coder from {table}").coder.tolist() == ["ab"] * n, table
    text = str(cells_of_file(coded.store))
    assert "'kf'" not in text
    assert "teacher" not in text


def test_labels_and_samples_of_a_record_go_with_their_words(coded):
    forget(coded.store, coded.cache, record_id=PERSON)
    assert coded.store.df("select record_id from labels").record_id.tolist() == ["r1", "r1"]
    assert sorted(coded.store.df("select record_id from samples").record_id) == ["r1", "r1", "r2", "r2"]
    assert PERSON not in str(cells_of_file(coded.store))


def test_what_a_scorer_said_of_a_record_goes_and_its_verdict_stays(two_model_project, run):
    traces = two_model_project.store.df("select trace_id, record_id from traces")
    rows = [
        Assessment(
            trace_id=trace_id, run_id=run.run_id, assessed_trace_id=trace_id, record_id=record_id, criterion="respect",
            reason_index=0, reason=f"{said} is named.", matched=True, feedback=f"yes, {said}", status="ok",
        )
        for trace_id, record_id in zip(traces.trace_id, traces.record_id, strict=True)
        for said in [SECRET if record_id == PERSON else "The guard"]
    ]  # fmt: skip
    two_model_project.store.write(WriteBatch(rows=rows))
    forget(two_model_project.store, two_model_project.cache, record_id=PERSON)
    found = two_model_project.store.df(
        "select record_id, reason, feedback, matched from assessments order by record_id"
    )
    assert len(found) == 6, "two models judged three records"
    assert found.matched.all()
    gone = found[found.record_id.str.startswith("forgotten-")]
    assert gone[["reason", "feedback"]].isna().all(axis=None)
    assert (len(gone), found.reason.notna().sum()) == (2, 4)


def test_a_coder_that_there_is_not_is_answered_with_the_nearest(two_model_project, run):
    with pytest.raises(bm.SetupError, match="has no coder `kff`; did you mean `kf`"):
        forget(two_model_project.store, two_model_project.cache, coder="kff")


# --- writing the file anew ---------------------------------------------------------------------------


def test_the_file_stays_readable_by_the_same_duckdb_and_keeps_its_views(two_model_project, run):
    forget(two_model_project.store, two_model_project.cache, record_id=PERSON)
    with duckdb.connect(str(two_model_project.store.path), read_only=True) as con:
        assert con.execute("select count(*) from latest_scores").fetchone() == (6,)
        assert con.execute("select count(*) from judge_scores").fetchone() == (6,)
        tags = con.execute("select tags from duckdb_databases() where path is not null").fetchone()[0]
    assert tags["storage_version"].startswith("v1.5")


WRITE = """
import sys
sys.path.insert(0, {here!r})
from pathlib import Path
from buttermilk_nb.events.event import StatusEvent
from buttermilk_nb.store import Store
store = Store(Path({path!r}))
print("ready", flush=True)
for n in range(25):
    with store.writing() as con:
        store.append(con, [StatusEvent(source="other").as_row()])
print("done", flush=True)
"""


def test_what_another_process_writes_meanwhile_is_not_lost(two_model_project, run):
    store = two_model_project.store
    code = WRITE.format(here=sys.path[0], path=str(store.path))
    other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert other.stdout.readline() == "ready\n"
    rewritten = 0
    while other.poll() is None:
        with store.exclusive(30) as con:
            rewrite_file(con, store.path)
        rewritten += 1
    assert other.returncode == 0, other.stderr.read()
    other.communicate()
    assert rewritten > 2
    assert store.df("select count(*) as n from events where source = 'other'").n.item() == 25


def test_copies_that_were_cut_off_are_removed(two_model_project, run):
    name = two_model_project.store.path.name
    for left_over in (
        f".{name}.0.fresh",
        f"..{name}.0.fresh.1.part",
        f"..{name}.0.fresh.1.part.wal",
        f".{name}.2.part",
    ):
        (two_model_project.store.path.parent / left_over).write_text(SECRET)
    forget(two_model_project.store, two_model_project.cache, record_id=PERSON)
    two_model_project.cache.close()
    assert files_with(two_model_project.folder, SECRET) == []
    assert [p.name for p in two_model_project.folder.glob(".*") if p.suffix not in (".lock", ".next")] == []


def test_a_full_disk_leaves_the_file_in_place(two_model_project, run, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("buttermilk_nb.store.erasure.compact.copy_to", fail)
    with pytest.raises(bm.errors.StoreError, match=r"`traces.duckdb` could not be rewritten: .*No space left"):
        forget(two_model_project.store, two_model_project.cache, record_id=PERSON)
    assert two_model_project.store.df("select count(*) as n from scores").n.item() == 6
    assert [p.name for p in two_model_project.folder.glob(".*") if p.suffix not in (".lock", ".next")] == []


def test_an_answer_reads_as_sentences():
    said = repr(Forgotten(kind="coder", n_rows=2, n_runs=1))
    assert said.startswith("A coder's codes were forgotten: 2 rows in 1 run")
