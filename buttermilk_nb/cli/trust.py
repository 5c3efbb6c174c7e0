"""The command `trust`: confirm what a folder's settings say about recipients, addresses and keys."""

from __future__ import annotations

from pathlib import Path

import click

from ..config.confirmed_settings import ConfirmedSettings, sensitive_settings
from ..config.settings import FILE, Settings


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=".")
@click.option("--yes", is_flag=True, help="Confirm without a question.")
def trust(folder: Path, yes: bool) -> None:
    """Confirm who gets texts and keys according to buttermilk.yaml in FOLDER (default: the working folder)."""
    settings = Settings.read(folder / FILE)
    confirmed = ConfirmedSettings(folder)
    unconfirmed = confirmed.select_unconfirmed(sensitive_settings(settings))
    if not unconfirmed:
        click.echo("Nothing needs to be confirmed.")
        return
    click.echo(f"{FILE} in {folder.absolute()} says:")
    for setting in unconfirmed:
        click.echo(f"- {setting.sentence}")
    if yes or click.confirm("Confirm this for this folder on this computer?"):
        confirmed.confirm(unconfirmed)
        click.echo("Confirmed.")
