"""The command `init`: make a project, or show where it is."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("name")
@click.option("--path", type=click.Path(path_type=Path), default=None, help="The project's folder; default ./NAME.")
@click.option("--model", "models", multiple=True, help="A model for judges; may be repeated.")
def init(name: str, path: Path | None, models: tuple[str, ...]) -> None:
    """Make the project NAME, or show where it is."""
    from ..project.session import init as open_project

    project = open_project(name, path=path, models=list(models) or None)
    card(project.summary())


def card(lines: list[tuple[str, str]]) -> None:
    """Print labelled lines as a card."""
    width = max(len(label) for label, _ in lines)
    for label, value in lines:
        click.echo(f"  {label:<{width}}  {value}")
