"""The file says when it is no longer what it was written as, and which run that touches."""

import datetime as dt

import duckdb
import pytest

import buttermilk_nb as bm
from buttermilk_nb.corpus.image import Image
from buttermilk_nb.schema import ROWS, Tombstone
from buttermilk_nb.store import run_chain
from buttermilk_nb.store.append import SPLIT_TABLES
from buttermilk_nb.store.verify import verify

CALM = bm.Criteria("calm", "Is it calm?", flag="no", cues={"no": ["row"]}, examples=[])
DESK = bm.Criteria(
    "desk",
    "What the editors ask.",
    criteria={"respect": {"question": "Is it respectful?", "flag": "no"}, "heat": {"question": "How?", "scale": "1-5"}},
)
LONG = bm.Prompt(
    system="Be brief.\n## user\nnot yet", user="Read {{ record.content }}\n{{ criteria }}\n{{ answer_format }}"
)


def study(name="judge", **fields):
    return bm.Flow("study", [bm.Judge(name, **{"criteria": [CALM, DESK], **fields})])


def records(many=3, **fields):
    return bm.Corpus([bm.Record(record_id=f"r{i}", content=f"Text {i}.", **fields) for i in range(many)])


@pytest.fixture
def runs(project):
    """Three runs: one, the same again, and one with another prompt over records of which much is known."""
    known = {"ground_truth": {"calm": "yes"}, "expert_reasons": {"calm": ["a", "b"]}, "outlet": "The Bell", "n": 1.5}
    made = [study().run(records()), study().run(records()), study(prompt=LONG).run(records(5, cluster="c", **known))]
    return [run.run_id for run in made]


def tamper(project, statement, *params):
    """Change the file behind the package's back."""
    with duckdb.connect(str(project.store.path)) as con:
        con.execute(statement, params)


def wrong(project):
    """Check and run of everything that is not as it should be."""
    found = verify(project.store)
    pairs = found[~found.ok][["check", "run_id"]].itertuples(index=False, name=None)
    return {(check, run if isinstance(run, str) else None) for check, run in pairs}


def test_a_file_that_nobody_changed_is_whole(project, runs):
    found = verify(project.store)
    assert found.ok.all(), found[~found.ok].to_string()
    per_run = found[found.run_id.notna()].groupby("run_id").check.apply(sorted).to_dict()
    assert per_run == {run: ["bodies", "cells", "chain", "digest", "parents", "rows"] for run in runs}
    assert found[found.run_id.isna()].check.tolist() == ["tables", "texts", "said", "outcomes", "records"]
    assert found.meaning.str.len().min() > 10


@pytest.mark.parametrize(
    ("statement", "checks"),
    [
        ("update score_rows set category = 'no' where run_id = ? and record_id = 'r1'", {"rows", "digest"}),
        ("update score_rows set uncertainty = 'low' where run_id = ? and record_id = 'r1'", {"rows"}),
        ("update trace_rows set model = 'better/model' where run_id = ? and record_id = 'r1'", {"rows"}),
        ("update calls set cost_usd = 0.5 where run_id = ?", {"rows"}),
        ("update calls set answered_at = answered_at + interval 1 microsecond where run_id = ?", {"rows"}),
        ("update cells set replicate = 7 where run_id = ? and record_id = 'r1'", {"rows"}),
        ("delete from score_rows where run_id = ? and record_id = 'r1'", {"rows", "digest"}),
        ("delete from trace_rows where run_id = ? and record_id = 'r1'", {"rows", "cells", "parents"}),
        ("delete from cells where run_id = ? and record_id = 'r1'", {"rows", "parents"}),
        (
            "insert into calls (call_id, run_id, request_hash) values ('new', ?, 't1-none')",
            {"rows", "parents", "bodies"},
        ),
        ("update runs set manifest = '{}' where run_id = ?", {"chain"}),
        ("update runs set digest = 'x' where run_id = ?", {"chain", "digest"}),
    ],
)
def test_a_changed_row_names_its_run_and_only_that(project, runs, statement, checks):
    tamper(project, statement, runs[1])
    assert wrong(project) == {(check, runs[1]) for check in checks}


def test_a_changed_answer_names_the_runs_that_used_it(project, runs):
    tamper(
        project,
        "update texts set body = 'another' where text_hash in (select response_hash from calls where run_id = ?)",
        runs[0],
    )
    assert wrong(project) == {("texts", runs[0]), ("texts", runs[1]), ("texts", runs[2])}


def test_a_changed_request_names_the_one_run_that_sent_it(project, runs):
    tamper(
        project,
        "update texts set body = body || ' ' where text_hash in (select request_hash from calls where run_id = ?)",
        runs[2],
    )
    assert wrong(project) == {("texts", runs[2])}


@pytest.mark.parametrize(("kind", "used"), [("prompt", [2]), ("criteria", [0, 1, 2])], ids=["prompt", "criteria"])
def test_a_changed_wording_names_the_runs_that_were_made_with_it(project, runs, kind, used):
    tamper(
        project,
        "update texts set body = replace(replace(body, 'Be brief', 'Be wordy'), 'Is it calm', 'Is it not calm') "
        "where kind = ? and (body like '%Be brief%' or body like '%calm%')",
        kind,
    )
    assert (
        {("texts", runs[n]) for n in used} <= wrong(project) <= {("texts", runs[n]) for n in used} | {("texts", None)}
    )


def test_a_changed_reason_names_its_runs(project, runs):
    tamper(
        project,
        "update said set reasons = ['Because.'] where said_hash in (select said_hash from score_rows where run_id = ?)",
        runs[0],
    )
    assert {run for check, run in wrong(project) if check == "said"} == set(runs)


def test_a_removed_body_is_missed(project, runs):
    tamper(project, "delete from texts where text_hash in (select request_hash from calls where run_id = ?)", runs[2])
    assert wrong(project) == {("bodies", runs[2])}


@pytest.mark.parametrize(
    "change",
    [
        "content = 'Another text.'",
        'ground_truth = \'{"calm":"no"}\'',
        "cluster = 'd'",
        "metadata = '{}'",
        "labels = 'x'",
    ],
)
def test_a_changed_record_names_its_run(project, runs, change):
    tamper(project, f"update records set {change} where record_id = 'r4'")
    assert wrong(project) == {("records", runs[2])}


def test_a_changed_image_names_its_run(project, runs):
    dot = Image.from_bytes(
        bytes.fromhex("47494638396101000100800000000000ffffff2c00000000010001000002024401003b"), name="dot.gif"
    )
    study().run(bm.Corpus([bm.Record(record_id="seen", content="See.", images=[dot])]))
    last = bm.last_run().run_id
    assert wrong(project) == set()
    tamper(project, "update texts set body = replace(body, 'R0lG', 'R0lH') where kind = 'media'")
    assert wrong(project) == {("texts", last), ("records", last)}


def test_a_run_that_was_taken_away_breaks_the_chain(project, runs):
    for table in ("runs", "cells", "trace_rows", "calls", "score_rows"):
        tamper(project, f"delete from {table} where run_id = ?", runs[1])
    assert wrong(project) == {("chain", runs[1])}


def test_a_link_that_was_taken_away_is_missed(project, runs):
    tamper(project, "delete from links where run_id = ?", runs[1])
    assert wrong(project) == {("chain", runs[1]), ("chain", runs[2])}


def test_a_link_that_was_made_anew_does_not_fit_the_next_one(project, runs):
    tamper(project, "update score_rows set category = 'no' where run_id = ?", runs[1])
    with duckdb.connect(str(project.store.path)) as con:
        rows = run_chain.rows_hash(con, runs[1])
        ((before,),) = con.execute("select chain from links where position = 1").fetchall()
        again = run_chain.chain_link(before, run_chain.run_values(con, runs[1]), rows)
        con.execute("update links set rows_hash = ?, chain = ? where position = 2", [rows, again])
    assert {("chain", runs[2])} <= wrong(project)


def test_a_run_changed_by_forget_is_said_to_be_so_and_excused(project, runs):
    tamper(project, "delete from score_rows where run_id = ? and record_id = 'r1'", runs[1])
    stone = Tombstone(
        kind="run_changed",
        what=runs[1],
        removed_at=dt.datetime.fromisoformat("2026-11-20"),
        reason="asked by mail",
        n_rows=1,
    )
    with project.store.writing() as con:
        project.store.append(con, [stone])
    found = verify(project.store)
    assert found.ok.all()
    meanings = found[(found.run_id == runs[1]) & (found.check == "rows")].meaning
    assert "changed by forget on 2026-11-20 (asked by mail)" in meanings.item()


def test_a_run_that_is_linked_again_after_a_change_is_checked_again(project, runs):
    with project.store.writing() as con:
        con.execute("delete from score_rows where run_id = ? and record_id = 'r1'", [runs[1]])
        con.execute("update runs set digest = ? where run_id = ?", [run_chain.run_digest(con, runs[1]), runs[1]])
        run_chain.add_link(con, runs[1])
    assert wrong(project) == {("earlier link", runs[1])}, (
        "its first link no longer fits, and nothing says that this was meant"
    )
    with project.store.writing() as con:
        project.store.append(
            con,
            [
                Tombstone(
                    kind="run_changed",
                    what=runs[1],
                    removed_at=dt.datetime.fromisoformat("2026-01-01"),
                    reason="",
                    n_rows=1,
                )
            ],
        )
    assert wrong(project) == set()


def test_a_missing_column_is_named_and_what_needs_it_is_said_not_to_have_been_checked(project, runs):
    tamper(project, "alter table calls drop column fingerprint")
    found = verify(project.store)
    wrong = found[~found.ok].set_index("check")
    assert wrong.found["tables"] == "calls.fingerprint"
    assert "could not be checked" in wrong.meaning["chain"]


def test_a_missing_view_is_named(project, runs):
    tamper(project, "drop view costs")
    found = verify(project.store)
    assert found[~found.ok][["check", "found"]].values.tolist() == [["tables", "costs"]]


def test_a_run_that_was_stopped_may_have_cells_without_a_trace(store, make_unit, write_run):
    units = [make_unit(n, "stopped") for n in range(3)]
    write_run(store, "stopped", units, status="interrupted")
    with store.writing() as con:
        con.execute("insert into cells (run_id, design_id) values ('stopped', 'd1-more')")
    found = verify(store)
    assert found[found.check == "cells"].ok.tolist() == [True]


def test_a_finished_run_with_a_cell_that_has_no_trace_is_not_whole(project, runs):
    tamper(project, "insert into cells (run_id, design_id, record_id) values (?, 'd1-more', 'r0')", runs[0])
    assert ("cells", runs[0]) in wrong(project)


# --- the recipe ----------------------------------------------------------------------------------------


def test_the_hash_of_a_runs_rows_is_pinned(store, make_unit):
    with store.writing() as con:
        con.execute("insert into cells (run_id, design_id, replicate) values ('run', 'd', 0)")
        con.execute(
            "insert into calls (call_id, run_id, asked_at, cost_usd) values ('c', 'run', '2026-01-02 03:04:05', 0.1)"
        )
        con.execute("insert into score_rows (run_id, value, flagged) values ('run', 2.5, true), ('run', null, false)")
        con.execute("insert into trace_rows (trace_id, run_id, duration_s) values ('t', 'run', 1e-7)")
        con.execute("insert into trace_inputs values ('t', 'u', 0), ('other', 'u', 0)")
    with store.reading() as con:
        assert {recipe: run_chain.rows_hash(con, "run", recipe) for recipe in run_chain.RECIPES} == PINNED
        assert run_chain.rows_hash(con, "no such run") == run_chain.rows_hash(con, "none") == NO_ROWS


PINNED = {
    "rows1": "rows1-14c96d2103189cc2787f549ab527fe71",
    "rows2": "rows2-0a10a0ab2fb982bd6e4d4cd90ff36642",
    "rows3": "rows3-1d23ccdb9a55385fcdb650ba0f59cde7",
}
NO_ROWS = "rows3-5f3c7cd527ae58129073b782653acb93"


def test_the_order_in_which_rows_were_written_does_not_matter(store, make_unit, tmp_path):
    from buttermilk_nb.store import Store
    from buttermilk_nb.store.write_batch import WriteBatch

    units = [make_unit(n) for n in range(5)]
    other = Store(tmp_path / "other.duckdb")
    store.write(WriteBatch(units=units))
    other.write(WriteBatch(units=units[::-1]))
    hashes = []
    for one in (store, other):
        with one.reading() as con:
            hashes.append(run_chain.rows_hash(con, "run"))
    assert hashes[0] == hashes[1]


def test_every_column_of_a_run_is_covered_so_that_a_new_one_asks_for_a_recipe():
    covered = {table: set(columns.split()) for table, columns in run_chain.RECIPES[run_chain.NEWEST_RECIPE].items()}
    for model in ROWS:
        parted = SPLIT_TABLES.get(model)
        table = parted.rows if parted else model.table
        if table in covered:
            keys = {parted.key} if parted else set()
            fields = set(model.model_fields) - set(parted.columns if parted else ()) | keys
            assert covered[table] == fields - {"run_id"}, table
