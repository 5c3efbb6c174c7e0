"""Answers that were written for teaching: how they are looked up, and what is said where they are not there."""

import json
import socket

import pytest

import buttermilk_nb as bm


@pytest.fixture
def open_scripted(tmp_path, write_scripts):
    """Open a project whose judges are these voices."""

    def opened(*names, **voices):
        folder = write_scripts(**voices)
        models = [f"scripted/{name}" for name in names or voices]
        return bm.init("scripted", path=tmp_path / "scripted", models=models, scripted=folder)

    return opened


def judged(criteria, *ids, replicates=1, **options):
    records = bm.Corpus([bm.Record(record_id=i, content=f"Text of {i}.") for i in ids])
    return bm.Flow("scripted", [bm.Judge("judge", criteria=criteria, replicates=replicates)]).run(records, **options)


def written(folder, *lines):
    (folder / "ana.jsonl").write_text("\n".join(lines), encoding="utf-8", newline="")


# --- the file ----------------------------------------------------------------------------------------


def test_a_missing_file_names_the_nearest(open_scripted, verdict):
    with pytest.raises(
        bm.SetupError, match=r"model `scripted/anna`: there is no file `anna.jsonl` in `.*`; did you mean `ana`"
    ):
        open_scripted("anna", ana=[verdict("r", "yes")], ben=[verdict("r", "yes")])


def test_without_a_folder_the_setting_to_write_is_named(tmp_path):
    with pytest.raises(
        bm.SetupError, match=r"buttermilk.yaml does not name one; add a line such as `scripted: \.\./data/panel`"
    ):
        bm.init("no-folder", path=tmp_path / "no-folder", models=["scripted/ana"])


def test_the_folder_is_kept_relative_so_that_a_project_can_be_moved(open_scripted, verdict, tmp_path):
    open_scripted(ana=[verdict("r", "yes")])
    text = (tmp_path / "scripted" / "buttermilk.yaml").read_text("utf-8")
    assert "scripted: ../scripts" in text
    assert str(tmp_path) not in text


BAD = {
    "no json": ("{not json", "Expecting property name"),
    "a list": ("[1, 2]", "list indices"),
    "a number": ("7", "not subscriptable"),
    "no record": ('{"task": "judge", "criteria": "calm", "answer": {}}', "record_id"),
    "no answer": ('{"task": "judge", "record_id": "r", "criteria": "calm"}', "answer"),
    "an answer that is a word": (
        '{"task": "judge", "record_id": "r", "criteria": "calm", "answer": "yes"}',
        "sequence",
    ),
    "an answer that is nothing": (
        '{"task": "judge", "record_id": "r", "criteria": "calm", "answer": null}',
        "NoneType",
    ),
    "a replicate that is a word": (
        '{"task": "judge", "record_id": "r", "criteria": "calm", "replicate": "first", "answer": {}}',
        "invalid literal",
    ),
    "a task that there is not": (
        '{"task": "jugde", "record_id": "r", "criteria": "calm", "answer": {}}',
        "there is no task `jugde`; did you mean `judge`",
    ),
}


@pytest.mark.parametrize(("line", "why"), BAD.values(), ids=BAD)
def test_a_bad_line_is_named_by_its_number(open_scripted, verdict, write_scripts, line, why):
    folder = write_scripts()
    written(folder, json.dumps(verdict("r0", "yes")), "", line, json.dumps(verdict("r1", "yes")))
    with pytest.raises(bm.SetupError, match=r"`ana.jsonl`, line 3: not an answer; a line has `task`, .*") as caught:
        open_scripted("ana")
    assert why in str(caught.value)


def test_so_is_one_that_contradicts_another(open_scripted, verdict, write_scripts):
    written(write_scripts(), *(json.dumps(verdict("r0", answer)) for answer in ("yes", "yes", "no")))
    with pytest.raises(
        bm.SetupError, match=r"`ana.jsonl`, line 3: there is another answer for judge · r0 · calm · 0 · +above"
    ):
        open_scripted("ana")


def test_the_same_line_twice_is_no_contradiction_in_whatever_order_it_is_written(
    open_scripted, verdict, write_scripts, calm
):
    whole = verdict("r0", "yes", "Quiet.")
    turned = dict(reversed(whole.items()))
    written(write_scripts(), json.dumps(whole), json.dumps(turned))
    open_scripted("ana")
    assert judged(calm, "r0").counts == {"ok": 1}


def test_a_file_without_answers_is_refused(open_scripted, write_scripts):
    written(write_scripts(), "", "  ", "")
    with pytest.raises(bm.SetupError, match="`ana.jsonl` contains no answers"):
        open_scripted("ana")


@pytest.mark.parametrize("sign", ["\u2028", "\u2029", "\x85"])
def test_a_line_ends_where_the_files_lines_end_and_at_no_sign_within_a_text(
    open_scripted, verdict, write_scripts, calm, sign
):
    reason = f"One{sign}two."
    text = json.dumps(verdict("r0", "yes", reason), ensure_ascii=False)
    written(write_scripts(), text, "{bad")
    with pytest.raises(bm.SetupError, match=r"`ana.jsonl`, line 2:"):
        open_scripted("ana")
    written(write_scripts(), text)
    open_scripted("ana")
    assert [list(said) for said in judged(calm, "r0").scores().reasons] == [[reason]]


def test_windows_line_ends_and_a_byte_order_mark_do_no_harm(open_scripted, verdict, write_scripts, calm):
    lines = [json.dumps(verdict(r, "yes", "Ruhig, «ä» 判.")) for r in ("r0", "r1")]
    (write_scripts() / "ana.jsonl").write_bytes(("\ufeff" + "\r\n".join(lines) + "\r\n").encode("utf-8"))
    open_scripted("ana")
    run = judged(calm, "r0", "r1")
    assert run.counts == {"ok": 2}
    assert list(run.scores().reasons[0]) == ["Ruhig, «ä» 判."]


# --- looking up --------------------------------------------------------------------------------------


def test_what_was_not_written_is_skipped_and_says_so(open_scripted, verdict, calm):
    open_scripted(ana=[verdict("r0", "yes")])
    run = judged(calm, "r0", "r1")
    (error,) = run.errors().to_dict("records")
    assert (error["record_id"], error["status"]) == ("r1", "skipped")
    assert error["error_message"] == "`scripted/ana` has no written answer for this record and task."
    assert run.scores().set_index("record_id").status.to_dict() == {"r0": "ok", "r1": "skipped"}


def test_a_replicate_beyond_what_is_written_is_skipped_too(open_scripted, verdict, calm):
    open_scripted(ana=[verdict("r0", "yes", replicate=0), verdict("r0", "no", replicate=1)])
    found = judged(calm, "r0", replicates=4).scores().set_index("replicate")
    assert found.status.to_dict() == {0: "ok", 1: "ok", 2: "skipped", 3: "skipped"}
    assert found.category[:2].tolist() == ["yes", "no"]


def test_criteria_of_another_name_have_no_answers(open_scripted, verdict):
    open_scripted(ana=[verdict("r0", "yes")])
    assert judged(bm.Criteria("quiet", "Is it quiet?"), "r0").counts == {"skipped": 1}


def test_two_criteria_with_one_text_are_looked_up_each_by_its_name(open_scripted, verdict, tmp_path):
    said = {"conclusion": "", "reasons": []}
    loud = {"task": "judge", "record_id": "r0", "criteria": "loud", "answer": {"answer": "no", **said}}
    calm = {"task": "judge", "record_id": "r0", "criteria": "calm", "answer": {"answer": "yes", **said}}
    open_scripted(ana=[calm, loud])
    prompt = "Read {{ record.content }} {{ criteria.text }} Answer in JSON."
    judge = bm.Judge("judge", criteria=[bm.Criteria(n, "Is it so?") for n in ("calm", "loud")], prompt=prompt)
    run = bm.Flow("names", [judge]).run(bm.Corpus([bm.Record(record_id="r0", content="A text.")]))
    assert run.scores().set_index("criteria_set").category.to_dict() == {"calm": "yes", "loud": "no"}


def test_free_text_is_not_answered(open_scripted, verdict):
    open_scripted(ana=[verdict("r0", "yes")])
    agent = bm.Agent("summary", prompt="Sum up: {{ record.content }}", models="scripted/ana")
    run = bm.Flow("free", [agent]).run(bm.Corpus([bm.Record(record_id="r0", content="A text.")]))
    (error,) = run.errors().to_dict("records")
    assert error["status"] == "skipped"
    assert error["error_message"] == "`scripted/ana` has answers on criteria only; this agent asks for free text."


def test_an_answer_that_the_scale_does_not_have_is_invalid_as_a_models_would_be(open_scripted, verdict, calm):
    open_scripted(ana=[verdict("r0", "perhaps")])
    run = judged(calm, "r0")
    assert run.counts == {"invalid": 1}
    assert "perhaps" in run.errors().raw_text[0]


def test_positions_of_answers_that_are_not_there_are_left_out(run_three_judges):
    def reading(record_id, *topics):
        divergences = [
            {"topic": name, "positions": [{"position": p, "answers": a} for p, a in held]} for name, held in topics
        ]
        known = {"task": "differences", "record_id": record_id, "criteria": "calm"}
        return {**known, "answer": {"conclusion": "So.", "divergences": divergences}}

    topics = [
        ("the door", [("slammed", ["cy/0", "cy/1"]), ("closed", ["ana/0", "dora/0"])]),
        ("the cat", [("there", ["dora/0"]), ("gone", ["ben/0"])]),
        ("the tea", [("hot", ["ana/0", "ben/0"])]),
    ]
    differences = bm.Differences("differences", of="judge", models="scripted/reader")
    rows = run_three_judges(differences, reader=[reading("r0", *topics)]).divergences()
    assert list(zip(rows.topic, rows.position, rows.model, strict=True)) == [
        ("the door", "slammed", "scripted/cy"),
        ("the door", "closed", "scripted/ana"),
        ("the tea", "hot", "scripted/ana"),
        ("the tea", "hot", "scripted/ben"),
    ], "one position alone, where another was lost, is no divergence"


def test_voices_that_say_the_same_keep_their_places_in_another_order(run_judges, calm, verdict):
    """The messages are the same, so that only who said it tells one reading from another."""
    topic = {
        "topic": "t",
        "positions": [{"position": "p", "answers": ["ana/0"]}, {"position": "q", "answers": ["ben/0"]}],
    }
    ids = [f"r{i}" for i in range(6)]
    reading = [
        {
            "task": "differences",
            "record_id": i,
            "criteria": "calm",
            "answer": {"conclusion": "c", "divergences": [topic]},
        }
        for i in ids
    ]
    same = [verdict(i, "yes", "Quiet.") for i in ids]
    records = [bm.Record(record_id=i, content="A text.") for i in ids]
    for order in ("planned", "shuffled"):
        step = bm.Differences("differences", of="judge", models="scripted/reader", order=order)
        run = run_judges(calm, {"ana": same, "ben": same}, records, step, readers={"reader": reading})
        rows = run.divergences()
        assert rows.groupby("position").model.unique().map(list).to_dict() == {
            "p": ["scripted/ana"],
            "q": ["scripted/ben"],
        }


# --- what it is --------------------------------------------------------------------------------------


def test_a_changed_file_makes_other_designs_and_is_asked_anew(open_scripted, verdict, calm):
    lines = [verdict("r0", "yes"), verdict("r1", "yes")]
    open_scripted(ana=lines)
    first = judged(calm, "r0", "r1")
    open_scripted(ana=lines)
    again = judged(calm, "r0", "r1")
    assert again.calls().cached.all()
    open_scripted(ana=[verdict("r0", "no"), verdict("r1", "yes")])
    other = judged(calm, "r0", "r1")
    assert other.scores().set_index("record_id").category.to_dict() == {"r0": "no", "r1": "yes"}
    assert not other.calls().cached.any()
    designs = [set(run.traces().design_id) for run in (first, again, other)]
    assert designs[0] == designs[1]
    assert not designs[0] & designs[2]


def test_it_says_what_it_is_and_that_it_is_not_remote(open_scripted, verdict, calm):
    opened = open_scripted(ana=[verdict("r0", "yes")])
    model = opened.model("scripted/ana")
    assert repr(model) == "<model scripted/ana: answers written for teaching; no model was asked>"
    assert not model.remote
    row = bm.models().set_index("name").loc["scripted/ana"]
    assert row.usable
    assert row.local
    assert (row.provider, row.sets, row.price_in, row.price_out) == ("scripted", "judges", 0.0, 0.0)
    assert ("models: judges", "scripted/ana") in opened.summary()
    call = judged(calm, "r0").calls().iloc[0]
    assert (call.model_served, call.fingerprint) == ("scripted/ana", "written for teaching")


def test_nothing_leaves(open_scripted, verdict, calm, monkeypatch):
    reached = []

    def connect(self, address, *_):
        reached.append(address)
        raise OSError("nothing may leave")

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket.socket, "connect_ex", connect)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: connect(None, a))
    open_scripted(ana=[verdict("r0", "yes")])
    steps = [bm.Judge("judge", criteria=calm), bm.Synthesiser("synth", of="judge", models="scripted/ana")]
    record = bm.Record(record_id="r0", content="A text.", local_only=True)
    run = bm.Flow("here", steps).run(bm.Corpus([record]))
    assert run.counts == {"ok": 1, "skipped": 1}
    assert reached == []
    assert bm.sql("select * from egress").empty
    assert not run.calls().remote.any()
    assert run.cost_usd == 0
