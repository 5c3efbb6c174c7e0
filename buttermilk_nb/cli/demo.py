"""The command `demo`: a small offline study of the shipped corpus."""

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
    """Judge the shipped articles with the two offline baselines, and show where the files are."""
    from ..agents.judge.judge import Judge
    from ..corpus.load import load
    from ..flows.flow import Flow
    from ..project.session import init

    study_folder = folder.absolute()
    _copy_files(study_folder)
    data = study_folder / "data"
    project = init("press-tone", path=study_folder, models=["offline/strict", "offline/lenient"])
    articles = load(
        data / "articles.csv",
        content="body",
        record_id="id",
        truth={"respect": "expert", "sourced": "expert_accuracy"},
        reasons={"respect": "expert_reasons"},
        coders={"coder_a": {"respect": "coder_a"}, "coder_b": {"respect": "coder_b"}},
        cluster="author",
    )
    judge = Judge("judge", criteria=[data / "criteria" / name for name in _CRITERIA])
    click.echo(f"{len(articles)} articles written for teaching, two rule-based baselines; no language model is used.\n")
    result = Flow("press-tone", [judge]).run(articles)
    scores = result.scores()
    click.echo("\nThe first scores:\n")
    click.echo(
        scores[["record_id", "criterion", "model", "category", "flagged", "uncertainty", "truth"]].head(8).to_string()
    )
    click.echo(
        "\nBy judge and criterion (answered: yes or no to the flag; as_expert: share equal to the expert's answer):\n"
    )
    coded_scores = scores[scores.truth.notna() & (scores.status == "ok")]
    agreement = coded_scores.assign(right=lambda rows: rows.category == rows.truth)
    table = scores.groupby(["model", "criterion"], sort=True).agg(
        planned=("status", "size"), answered=("flagged", "count"), flagged=("flagged", "mean")
    )
    table["as_expert"] = agreement.groupby(["model", "criterion"]).right.mean()
    click.echo(table.round(2).to_string(na_rep="-"))
    click.echo()
    card([*project.summary()[:2], ("notebook", str(study_folder / _NOTEBOOK)), ("run", repr(result).splitlines()[0])])
    shown_folder = study_folder.relative_to(Path.cwd()) if study_folder.is_relative_to(Path.cwd()) else study_folder
    click.echo(f"\nNext, open the notebook:\n  uv run jupyter lab {(shown_folder / _NOTEBOOK).as_posix()}")
    click.echo("Run this command again: every answer then comes from the cache.")


def shipped_folder(name: str) -> Path:
    """The path of a shipped folder: inside the installed package, or at the top of a checkout."""
    package = Path(__file__).parent.parent
    for folder in (package / "_shipped" / name, package.parent / name):
        if folder.is_dir():
            return folder
    raise SetupError(f"the shipped folder `{name}` is missing; install the package again.")


def _copy_files(study_folder: Path) -> None:
    """Copy the data and the notebook; existing files stay as they are."""
    notebook = shipped_folder("notebooks") / _NOTEBOOK.name
    copies = [
        (source, study_folder / "data" / source.relative_to(shipped_folder("data")))
        for source in shipped_folder("data").rglob("*")
    ]
    copies.append((notebook, study_folder / _NOTEBOOK))
    try:
        for source, target in copies:
            if source.is_file() and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
    except OSError as error:
        raise SetupError(f"{study_folder} cannot be written: {error.strerror}. Give another --folder.") from error
