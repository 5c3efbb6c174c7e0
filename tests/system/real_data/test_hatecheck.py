"""The main job on real input: HateCheck's 3,728 cases under criteria of our own, both offline judges."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from support.paths import SHARED

import buttermilk_nb as bm
from buttermilk_nb.project import session

CASES = SHARED / "hatecheck" / "test_suite_cases.csv"


def test_every_case_is_judged_once_and_the_second_run_asks_nothing(tmp_path, monkeypatch):
    if not CASES.exists():
        pytest.skip("../shared/data/hatecheck is not here; it is used for checking with real corpora only")
    monkeypatch.chdir(tmp_path)
    project = bm.init("hatecheck", path=tmp_path / "hatecheck", models=["offline/strict", "offline/lenient"])
    try:
        cases = bm.load(
            CASES,
            content="test_case",
            record_id="case_id",
            truth={"hate": "label_gold"},
            truth_values={"hateful": "yes", "non-hateful": "no"},
        )
        flow = bm.Flow("hatecheck", [bm.Judge("judge", criteria=Path(__file__).parent / "hate.md")])
        run = flow.run(cases)
        assert run.counts == {"ok": 7456}
        assert project.client.sent == 7456
        again = flow.run(cases)
        assert project.client.sent == 7456
        assert run.scores().equals(again.scores())
        counted = bm.sql(
            """
            select count(*) as traces, count(distinct t.design_id) as designs,
                   sum((select count(*) from calls c where c.trace_id = t.trace_id)) as calls,
                   sum((select count(*) from scores s where s.trace_id = t.trace_id)) as scores
            from traces t where run_id = ?""",
            [run.run_id],
        )
        assert counted.iloc[0].tolist() == [7456, 7456, 7456, 7456]
        assert bm.sql("select count(*) as n from latest_scores").n.item() == 7456
        scores = run.scores()
        print()
        for model, part in scores.groupby("model"):
            accuracy = (part.category == part.truth).mean()
            print(f"{model}: accuracy {accuracy:.4f} against gold (a baseline of cue words)")
            table = pd.crosstab(part.truth.rename("gold"), part.category.rename("judge"))
            print(table.to_string())
            assert table.to_numpy().sum() == 3728
            assert table.loc["yes"].sum() == 2563
    finally:
        session.close()
