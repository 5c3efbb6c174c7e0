"""10,000 damaged answers through a real run: each becomes a row with a status, and none what was not answered."""

from __future__ import annotations

import json
import os
import random
import re
from typing import Any

import pytest
import yaml
from support.chat_server import ChatServer, messages_text

import buttermilk_nb as bm
from buttermilk_nb.project import session

N = 10_000 if os.environ.get("BUTTERMILK_NB_STRESS") == "full" else 500
ENTRY = {"reasons": ['It says "so".', "Ünï {code} 判"], "conclusion": "Plain.", "answer": "no", "uncertainty": "low"}
WHOLE = json.dumps({"criteria": {"calm": ENTRY}})
JUNK = "{}[]\",:\\`'“”<>/\n\t\0 \ufeff\u2028é判🙂ab1NaN"
SAID = [
    "",
    "I'm sorry, but I can't help with that.",
    "Je ne peux pas évaluer ce texte.",
    "It is calm.",
    "null",
    "[]",
    '"no"',
]


def damaged(draw: random.Random) -> str:
    """An answer with up to three things wrong with it."""
    text = draw.choice([WHOLE, json.dumps(json.loads(WHOLE), indent=1, ensure_ascii=False), str(json.loads(WHOLE))])
    for _ in range(draw.randint(0, 3)):
        at = draw.randrange(len(text) + 1)
        end = min(len(text), at + draw.choice([1, 2, 20, 200]))
        text = draw.choice(
            [
                text[:at],
                text[at:],
                text[:at] + text[end:],
                text[:at] + text[at:end] * 2 + text[end:],
                text[:at] + "".join(draw.choices(JUNK, k=draw.choice([1, 3, 30]))) + text[at:],
                f"```json\n{text}\n```",
                f"<think>{text}</think>{text[:at]}",
                f"{text}\n{text[:at]}",
                text.replace('"', draw.choice(["'", "“", '\\"', ""])),
                text + "{" * draw.choice([1, 100, 5_000]),
                draw.choice(SAID),
            ]
        )
    return text


@pytest.fixture
def fuzzing_server(tmp_path):
    made = ChatServer()
    made.start()
    toy = {"model": "hosted_vllm/toy", "api_base": made.base}
    settings = {"name": "study", "sets": {"judges": ["toy"]}, "models": {"toy": toy}, "retries": 0, "concurrency": 64}
    (tmp_path / "buttermilk.yaml").write_text(yaml.safe_dump(settings))
    bm.init("study", path=tmp_path)
    yield made
    session.close()
    made.stop()


@pytest.mark.stress
def test_every_damaged_answer_becomes_a_row_with_a_status(fuzzing_server):
    replies: dict[int, str] = {}

    def reply(body: dict[str, Any]) -> dict[str, Any]:
        number = int(re.search(r"Text number (\d+)\.", messages_text(body))[1])
        draw = random.Random(number)
        replies.setdefault(number, damaged(draw))
        return fuzzing_server.answer(
            body, replies[number], finish=draw.choice(["stop", "stop", "stop", "length", "content_filter"])
        )

    fuzzing_server.reply = reply
    calm = bm.Criteria("calm", "Is it calm?", flag="no")
    texts = bm.Corpus([bm.Record(record_id=f"r{n}", content=f"Text number {n}.") for n in range(N)])
    run = bm.Flow("fuzz", [bm.Judge("judge", criteria=calm)]).run(texts, yes=True)

    assert run.status == "finished"
    scores = run.scores()
    assert len(scores) == len(run.traces()) == sum(run.counts.values()) == N
    assert set(scores.status) <= {"ok", "invalid", "refused", "filtered"}
    assert {"ok", "invalid", "filtered"} <= set(scores.status)
    assert set(scores[scores.status == "ok"].category) == {"no"}
    assert scores[scores.status != "ok"].category.isna().all()
