"""A small study in our own words, which the tests of this folder share."""

from __future__ import annotations

import threading
import time

import buttermilk_nb as bm

TEXTS = (
    "They are vermin and should leave.",
    "The choir sang for an hour, and the hall was full.",
    "Nobody called them vermin; the debate stayed calm.",
    "A furious row broke out over the bridge.",
    "The ferry was late again.",
)


def corpus(n=3, **fields):
    """The first `n` texts, as records r0, r1, ..."""
    return bm.Corpus([bm.Record(record_id=f"r{i}", content=TEXTS[i % len(TEXTS)], **fields) for i in range(n)])


def respect(question="Does the text treat the people it speaks of with respect?", **fields):
    """One yes/no question whose finding is `no`."""
    return bm.Criteria("respect", question, **{"flag": "no", "cues": {"no": ["vermin"]}, **fields})


def desk(overall="any", **fields):
    """Two questions on different scales."""
    return bm.Criteria(
        "desk",
        "What the editors ask of every text.",
        overall=overall,
        criteria={
            "respect": {"question": "Is it respectful?", "flag": "no", "cues": {"no": ["vermin"]}},
            "heat": {"question": "How heated is it?", "scale": "1-5", "flag": ">= 4", "cues": {"5": ["furious"]}},
        },
        **fields,
    )


def judge(criteria=None, name="judge", **fields):
    """A judge of these criteria."""
    return bm.Judge(name, criteria=criteria or respect(), **fields)


def flow(*steps, **fields):
    """A flow of these steps, or of one judge."""
    return bm.Flow("study", list(steps) or [judge(**fields)])


def designs(run):
    """The design ids of a run's planned cells, in order of record."""
    frame = bm.sql("select design_id from cells where run_id = ? order by record_id, model, replicate", [run.run_id])
    return frame.design_id.tolist()


def stop_after(project, sent, limit_s=20):
    """Cancel the run in another thread as soon as so many calls have been sent; returns the thread."""
    pause = threading.Event()

    def work():
        deadline = time.monotonic() + limit_s
        while project.client.sent < sent and time.monotonic() < deadline:
            pause.wait(0.005)
        bm.last_run().cancel()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread
