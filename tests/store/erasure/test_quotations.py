"""What quotes a forgotten record elsewhere: in answers about others, pairs, errors, events, manifests, files."""

import gzip
import json
import random

import duckdb
import pandas as pd
import pytest

import buttermilk_nb as bm
from buttermilk_nb._internal.ids import uuid7
from buttermilk_nb.project import session
from buttermilk_nb.schema import EventRow, now
from buttermilk_nb.store.erasure.erased_texts import PIECE, ErasedTexts, normalise

NAME = "Zebrafinchova"
TEXT = f'On Monday {NAME} said: "The harbour\'s gate is locked\nfor ever", and left — née Ödegård.'
OTHER = "The choir sang for an hour, and nobody left."
THIRD = "A dog barked at the postman in Sandringham Road."
RARE = (NAME, "harbour's gate is locked", "Ödegård", "\\u00d6deg\\u00e5rd")


def every_piece(text):
    """Every piece of 20 characters, as it is and as it stands in JSON."""
    pieces = {text[n : n + PIECE] for n in range(len(text) - PIECE + 1)}
    return (
        pieces
        | {json.dumps(piece)[1:-1] for piece in pieces}
        | {json.dumps(piece, ensure_ascii=False)[1:-1] for piece in pieces}
    )


@pytest.fixture
def study(tmp_path, server, calm):
    """A project whose model quotes the record when it is asked about others, and whose server echoes prompts."""
    folder = tmp_path / "project"
    folder.mkdir()
    toy = {"model": "hosted_vllm/toy", "api_base": server.base}
    settings = {"name": "study", "sets": {"judges": ["toy"]}, "models": {"toy": toy}, "retries": 0}
    (folder / "buttermilk.yaml").write_text(json.dumps(settings))

    def reply(body):
        question = json.dumps(body, ensure_ascii=False)
        if "postman" in question and "Which" not in question:
            return server.failure(400, f"invalid request: it has the user id {NAME}, {TEXT}")
        reasons = [f"Unlike the other text, where {NAME} says “The harbour's gate is locked for ever”, it is calm."]
        entry = {"reasons": reasons, "conclusion": "It is calm.", "answer": "yes", "uncertainty": "low"}
        if "Which" in question:
            entry["answer"] = "first"
        return server.answer(body, text=json.dumps({"criteria": {"calm": entry}}))

    server.reply = reply
    return bm.init("study", path=folder)


@pytest.fixture
def corpus():
    return bm.Corpus(
        [
            bm.Record(record_id="r0", content=TEXT, metadata={"author": NAME, "outlet": "Harbour News"}),
            bm.Record(record_id="r1", content=OTHER, metadata={"outlet": "Harbour News"}),
            bm.Record(record_id="r2", content=THIRD),
        ]
    )


def bytes_with(folder, pieces):
    """The files that contain one of these, and which."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and (held := [piece for piece in pieces if piece.encode() in path.read_bytes()]):
            found[path.relative_to(folder).as_posix()] = held[:3]
    return found


def test_no_byte_of_a_forgotten_text_is_in_the_folder_afterwards(study, corpus, calm):
    flow = bm.Flow("tone", [bm.Judge("judge", criteria=calm)])
    flow.run(corpus)
    bm.Flow("pairs", [bm.Pairwise("pair", criteria=bm.Criteria("calm", "Which is calmer?"))]).run(corpus.pairs())
    with study.store.writing() as con:
        payload = json.dumps({"message": f"a hook failed on {TEXT}"})
        study.store.append(
            con,
            [EventRow(event_id=uuid7(), type="ErrorEvent", transaction_id=None, correlation_id=None, source="hook",
                      payload=payload, happened_at=now())],
        )  # fmt: skip
        con.execute("update runs set manifest = json_merge_patch(manifest, ?)", [json.dumps({"note": TEXT})])
    pieces = every_piece(TEXT) | set(RARE)
    before = bytes_with(study.folder, pieces)
    assert {"traces.duckdb"} < set(before)
    assert any(name.startswith("cache/") for name in before)
    quoting = study.store.df(
        "select count(*) as n from scores where record_id <> 'r0' and reasons::varchar like ?", [f"%{NAME}%"]
    )
    assert quoting.n.item() >= 1, "answers about other records quote it"
    errors = study.store.df("select error_message from traces where record_id = 'r2' and status = 'error'")
    assert NAME in errors.error_message.iloc[0]

    done = study.evidence.forget(record_id="r0")
    study.cache.close()
    session.close()
    assert bytes_with(study.folder, pieces) == {}
    assert done.n_quotations >= 5
    assert "about other records quoted it" in repr(done)
    assert "Paraphrases of it, and single common words, cannot be found" in repr(done)


def test_what_others_say_that_quotes_nothing_stays(study, corpus, calm, server):
    entry = {"reasons": ["Nobody shouts."], "conclusion": "It is calm.", "answer": "yes", "uncertainty": "low"}
    server.reply = lambda body: server.answer(body, text=json.dumps({"criteria": {"calm": entry}}))
    bm.Flow("tone", [bm.Judge("judge", criteria=calm)]).run(corpus)
    query = "select * from calls_full join traces using (trace_id) where record_id in ('r1', 'r2') order by all"
    said = "select reasons, conclusion from scores where record_id in ('r1', 'r2') order by all"
    before = study.store.df(query.replace("*", "request, response")), study.store.df(said)
    done = study.evidence.forget(record_id="r0")
    assert done.n_quotations == 0
    assert study.store.df(query.replace("*", "request, response")).equals(before[0])
    assert study.store.df(said).equals(before[1])
    assert before[1].reasons.str.len().tolist() == [1, 1]


def test_the_runs_that_quoted_it_are_excused_and_every_later_change_is_seen(study, corpus, calm):
    bm.Flow("tone", [bm.Judge("judge", criteria=calm)]).run(corpus)
    bm.Flow("others", [bm.Judge("other", criteria=calm)]).run(bm.Corpus(list(corpus)[1:]))
    done = study.evidence.forget(record_id="r0")
    assert done.n_runs == 2, "the second run had no cell of the record, and quoted it"
    assert study.evidence.verify().ok.all()
    with study.store.writing() as con:
        con.execute("update calls set latency_s = 77 where run_id = (select max(run_id) from runs)")
    checks = study.evidence.verify()
    assert not checks[checks.check == "rows"].ok.all()
    changes = (
        "update records set content = 'FORGED'",
        "update texts set body = 'FORGED' where kind = 'request'",
        "delete from texts where kind = 'request'",
        "delete from records",
    )
    for change in changes:
        with study.store.writing() as con:
            con.execute(change)
        checks = study.evidence.verify()
        assert not checks[~checks.check.isin(["rows", "chain", "earlier link"])].ok.all(), change


def test_files_in_the_folder_that_quote_it_are_named(study, corpus, calm):
    bm.Flow("tone", [bm.Judge("judge", criteria=calm)]).run(corpus)
    (study.folder / "notes.md").write_text(f"Ask about {TEXT}")
    (study.folder / "plan.md").write_text("Nothing about it.")
    (study.folder / "tone.ipynb").write_text(json.dumps({"cells": [{"source": TEXT}]}))
    done = study.evidence.forget(record_id="r0")
    assert [path.rpartition("/")[2] for path in done.remaining] == ["notes.md", "tone.ipynb"]


def test_files_that_cannot_be_searched_as_text_are_opened_or_named(study, corpus, calm, monkeypatch):
    bm.Flow("tone", [bm.Judge("judge", criteria=calm)]).run(corpus)
    bm.coding_sheet(corpus, calm, coder="kf", path=study.folder / "sheet.xlsx", sample=["r0"])
    bm.coding_sheet(corpus, calm, coder="kf", path=study.folder / "other sheet.xlsx", sample=["r1"])
    duckdb.sql("select 'Nothing.' as body").write_parquet(str(study.folder / "texts.parquet"))
    (study.folder / "texts.json.gz").write_bytes(gzip.compress(b"Nothing."))
    (study.folder / "codes.csv").write_bytes(f"a;{TEXT}".encode("utf-16"))
    (study.folder / "broken.zip").write_bytes(b"PK\x03\x04 and no more")
    (study.folder / "large.bin").write_bytes(b"x" * 2_000_000)
    monkeypatch.setattr("buttermilk_nb.store.erasure.remaining_copies._MAX_BYTES", 1_900_000)
    (study.folder / ".traces.duckdb.1.fresh").write_text(TEXT)
    done = study.evidence.forget(record_id="r0")
    names = [path.rpartition("/")[2] for path in done.remaining]
    assert names == ["broken.zip", "codes.csv", "large.bin", "sheet.xlsx", "texts.json.gz", "texts.parquet"]


def test_a_run_says_that_it_stores_a_forgotten_record_again(study, corpus, calm):
    flow = bm.Flow("tone", [bm.Judge("judge", criteria=calm)])
    assert flow.run(corpus).remarks == ()
    study.evidence.forget(record_id="r0")
    (remark,) = flow.run(corpus).remarks
    assert "1 record of this corpus had been forgotten in this project" in remark
    assert "r0" in remark
    assert flow.run(bm.Corpus(list(corpus)[1:])).remarks == ()


def test_other_records_whose_data_name_the_record_are_listed(study, calm):
    corpus = bm.Corpus(
        [
            bm.Record(record_id="person-zz", content=TEXT),
            bm.Record(record_id="reply", content=OTHER, metadata={"reply_to": "person-zz"}),
            bm.Record(record_id="same thread", content=THIRD, cluster="person-zz"),
            bm.Record(record_id="other", content="Nothing.", metadata={"reply_to": "person-z"}),
        ]
    )
    bm.Flow("tone", [bm.Judge("judge", criteria=calm)]).run(corpus)
    done = study.evidence.forget(record_id="person-zz")
    assert done.named_by == ("reply", "same thread")
    assert "2 other records name it in metadata or cluster, which stay: reply, same thread." in str(done)


@pytest.mark.parametrize(
    "store_again",
    [
        lambda corpus, calm: bm.draw_sample(corpus, 3, seed=1),
        lambda corpus, calm: bm.assign_coders(corpus, ["kf", "ab"], seed=1),
        lambda corpus, calm: bm.import_labels(pd.DataFrame({"record_id": ["r0"], "kf": ["no"]}), corpus, calm),
    ],
    ids=["a sample", "an assignment", "an import"],
)
def test_whatever_stores_a_forgotten_record_again_warns(study, corpus, calm, store_again):
    bm.Flow("tone", [bm.Judge("judge", criteria=calm)]).run(corpus)
    study.evidence.forget(record_id="r0")
    with pytest.warns(UserWarning, match="1 record of this corpus had been forgotten in this project"):
        store_again(corpus, calm)


@pytest.mark.parametrize(
    "quotation",
    [
        TEXT,
        TEXT[15:40],
        TEXT.upper(),
        " ".join(TEXT[12:60].split()),
        json.dumps(TEXT),
        json.dumps(json.dumps(TEXT)),
        json.dumps(TEXT[-25:]),
        TEXT.replace("'", "&#x27;").replace('"', "&quot;")[14:70],
        TEXT.replace("é", "e\u0301"),
        f"Mr. {NAME} again",
        f"{NAME}'s gate".replace("'s", " "),
        "a" * 5_000 + TEXT[20:41] + "b" * 5_000,
        f"The dog of {NAME}'s sister",
        f"_{NAME}_ and **{NAME}**",
        f"{NAME}-like",
        f"many {NAME}s",
        f"https://example.org/%20{NAME}%20",
        NAME[:4] + "\u00ad" + NAME[4:],
        "".join(chr(ord(letter) + 0xFEE0) for letter in NAME),
        "n\\xe9e \\xd6deg\\xe5rd left",
        "the gate *is* locked for `ever`",
        "Kim Lee Ng said so",
        "ask zebra-0077 about it",
    ],
    ids=range(23),
)
def test_a_quotation_is_found_in_any_writing(quotation):
    erased = ErasedTexts([TEXT, NAME, "Then Kim Lee Ng left."], [OTHER, THIRD], ["zebra-0077", "r0"])
    assert erased.find([OTHER, quotation, THIRD]) == [1]


def test_every_piece_of_a_text_is_found_and_no_piece_of_other_texts():
    chance = random.Random(3)
    alphabet = "abcdefghij   .é漢字"
    texts = ["".join(chance.choices(alphabet, k=200)) for _ in range(40)]
    erased = ErasedTexts(texts[:1], texts[1:])
    form = normalise(texts[0])
    assert all(erased.occurs_in(f"xx {form[n : n + PIECE]} yy") for n in range(len(form) - PIECE + 1))
    assert not any(erased.occurs_in(text) for text in texts[1:])
    assert not any(erased.occurs_in(form[n : n + PIECE - 1]) for n in range(len(form) - PIECE))


def test_what_another_text_says_too_is_not_searched():
    erased = ErasedTexts([f"{OTHER} And {NAME} left."], [OTHER])
    assert not erased.occurs_in(f"It says: {OTHER}")
    assert erased.occurs_in(f"It names {NAME}.")
    assert not ErasedTexts([OTHER], [OTHER]).occurs_in(OTHER)
    assert not ErasedTexts(["", "no"], []), "too short to be anybody's"
