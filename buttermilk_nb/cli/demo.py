"""`buttermilk-nb demo`: a whole study on the shipped corpus, offline, in a few seconds."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from ..errors import SetupError
from .init import card

_NOTEBOOK = Path("notebooks") / "01_start_here.ipynb"
_CRITERIA = ("respect.md", "accuracy.md")


@click.command()
@click.option("--folder", type=click.Path(path_type=Path), default=Path("buttermilk-demo"), show_default=True)
def demo(folder: Path) -> None:
    """Judge the shipped articles with the two offline baselines, and show where everything is."""
    from ..agents.judge.judge import Judge
    from ..corpus.corpus import Corpus
    from ..flows.flow import Flow
    from ..project.session import init

    place = folder.absolute()
    _copy(place)
    data = place / "data"
    project = init("press-tone", path=place, models=["offline/strict", "offline/lenient"])
    articles = Corpus.from_csv(
        data / "articles.csv",
        content="body",
        record_id="id",
        truth={"respect": "expert", "sourced": "expert_accuracy"},
        reasons={"respect": "expert_reasons"},
        coders={"coder_a": {"respect": "coder_a"}, "coder_b": {"respect": "coder_b"}},
        cluster="author",
    )
    judge = Judge("judge", criteria=[data / "criteria" / name for name in _CRITERIA])
    click.echo(
        f"{len(articles)} articles written for teaching, two rule-based baselines; no language model is asked.\n"
    )
    done = Flow("press-tone", [judge]).run(articles)
    scores = done.scores()
    click.echo("\nThe first scores:\n")
    click.echo(
        scores[["record_id", "criterion", "model", "category", "flagged", "uncertainty", "truth"]].head(8).to_string()
    )
    click.echo(
        "\nBy judge and criterion (answered: yes or no to the flag; as_expert: share of answers as the expert gave):\n"
    )
    coded = scores[scores.truth.notna() & (scores.status == "ok")]
    right = coded.assign(right=lambda rows: rows.category == rows.truth)
    table = scores.groupby(["model", "criterion"], sort=True).agg(
        planned=("status", "size"), answered=("flagged", "count"), flagged=("flagged", "mean")
    )
    table["as_expert"] = right.groupby(["model", "criterion"]).right.mean()
    click.echo(table.round(2).to_string(na_rep="-"))
    click.echo()
    card([*project.summary()[:2], ("notebook", str(place / _NOTEBOOK)), ("cells", repr(done).splitlines()[0])])
    here = place.relative_to(Path.cwd()) if place.is_relative_to(Path.cwd()) else place
    click.echo(f"\nNext, open the notebook:\n  uv run jupyter lab {(here / _NOTEBOOK).as_posix()}")
    click.echo("Run this command again: every answer then comes from the cache.")


def shipped(name: str) -> Path:
    """A shipped folder: inside the installed package, or at the top of a checkout."""
    package = Path(__file__).parent.parent
    for place in (package / "_shipped" / name, package.parent / name):
        if place.is_dir():
            return place
    raise SetupError(f"the shipped folder `{name}` is missing; install the package again.")


def _copy(place: Path) -> None:
    """The data and the notebook; files that are there already are left as they are."""
    notebook = shipped("notebooks") / _NOTEBOOK.name
    wanted = [(source, place / "data" / source.relative_to(shipped("data"))) for source in shipped("data").rglob("*")]
    wanted.append((notebook, place / _NOTEBOOK))
    try:
        for source, target in wanted:
            if source.is_file() and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
    except OSError as error:
        raise SetupError(f"{place} cannot be written: {error.strerror}. Give another --folder.") from error
