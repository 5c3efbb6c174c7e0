"""The command line program `buttermilk-nb`, with one file per command.

Commands print sentences, never tracebacks.
"""

from __future__ import annotations

import sys

import click

from .. import __version__
from .demo import demo
from .init import init
from .run import run
from .shell_words import in_shell_words
from .trust import trust


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="buttermilk-nb")
def commands() -> None:
    """Judge and code texts with language models: cached, traced, compared with human coders."""


commands.add_command(demo)
commands.add_command(init)
commands.add_command(run)
commands.add_command(trust)


def main() -> None:
    """Run the command line; exit status 2 means a wrong setup, 1 a failure, 130 that it was stopped."""
    from ..errors import ButtermilkError, Interrupted, SetupError

    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a Windows console may not know every script
    try:
        sys.exit(commands.main(standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort as error:  # click turns a KeyboardInterrupt into this
        reason = error.__cause__
        click.echo(in_shell_words(str(reason)) if isinstance(reason, Interrupted) else "Stopped.", err=True)
        sys.exit(130)
    except SetupError as error:
        click.echo(f"Error: {in_shell_words(str(error))}", err=True)
        sys.exit(2)
    except ButtermilkError as error:
        click.echo(f"Error: {in_shell_words(str(error))}", err=True)
        sys.exit(1)
