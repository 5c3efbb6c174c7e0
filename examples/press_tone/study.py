"""The study as a script: `python examples/press_tone/study.py`, from any folder. The second run asks nothing."""

from pathlib import Path

import buttermilk_nb as bm

here = Path(__file__).parent
bm.init("press-tone", path=Path.cwd() / "press-tone")
truth = {"respect": "expert", "sourced": "expert_accuracy"}
articles = bm.load(here.parents[1] / "data" / "articles.csv", content="body", record_id="id", truth=truth)
run = bm.Flow.from_yaml(here / "flow.yaml").run(articles)
print(run, run.explore(), sep="\n")
