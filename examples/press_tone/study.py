"""Run the study of flow.yaml: `python examples/press_tone/study.py`, from any folder. A second run makes no calls."""

from pathlib import Path

import buttermilk_nb as bm

folder = Path(__file__).parent
bm.init("press-tone", path=Path.cwd() / "press-tone")
truth = {"respect": "expert", "sourced": "expert_accuracy"}
articles = bm.load(folder.parents[1] / "data" / "articles.csv", content="body", record_id="id", truth=truth)
run = bm.Flow.from_yaml(folder / "flow.yaml").run(articles)
print(run, run.explore(), sep="\n")
