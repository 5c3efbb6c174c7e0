"""`buttermilk-nb init NAME`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("name")
@click.option("--path", type=click.Path(path_type=Path), default=None, help="The project's folder; default ./NAME.")
@click.option("--model", "models", multiple=True, help="A model that judges use; may be repeated.")
def init(name: str, path: Path | None, models: tuple[str, ...]) -> None:
    """Make the project NAME, or say where it is."""
    from ..project.session import init as open_project

    made = open_project(name, path=path, models=list(models) or None)
    card(made.summary())


def card(lines: list[tuple[str, str]]) -> None:
    """Print a card."""
    width = max(len(what) for what, _ in lines)
    for what, where in lines:
        click.echo(f"  {what:<{width}}  {where}")
