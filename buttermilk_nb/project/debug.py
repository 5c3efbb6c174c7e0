"""`debug`: whole tracebacks and a line for each event, for those who look for a mistake in the program."""

from __future__ import annotations

from .._internal.arguments import check_arguments
from ..errors import show_tracebacks


@check_arguments
def debug(on: bool = True) -> None:  # a switch
    """Show whole tracebacks instead of one paragraph, and print a line for each event of a run.

    The environment variable `BUTTERMILK_DEBUG=1` does the same from the start, also for the command line.

    Parameters
    ----------
    on
        With False, errors are one paragraph again, and events are only written to the log file.

    Examples
    --------
    >>> debug()
    >>> debug(on=False)
    """
    show_tracebacks(on)
