"""The error classes, in one tree.

::

    ButtermilkError
    ├── SetupError            a declaration is wrong; found before anything is paid for
    │   ├── CacheMiss         cache="only", and an answer is not in the cache
    │   ├── ConsentError      texts would go to a provider that is not allowed
    │   └── UnconfirmedError  more calls than `confirm_above` without a confirmation
    ├── StoreError            the DuckDB file cannot be read or written; stops a run
    ├── RunStopped            a run in `run_async` was stopped; the finished rows are kept
    │   └── BudgetReached     the next call might cost more than is left of the budget
    └── RunError              one answer failed; becomes a row with a status
        ├── InvalidAnswer     the answer does not fit the scale
        ├── SkippedCell       there is nothing to ask, or the model cannot answer
        └── ModelError        the call itself failed
            ├── AuthenticationError, QuotaError, RateLimitError, OverloadedError
            ├── CallTimeout, CallCancelled
            ├── UnavailableError
            │   └── ConnectionLostError  after the request was sent, so that it may have a price
            ├── BadRequestError, ContentFilterError, BadResponseError
            └── ContextTooLongError
                └── PromptCutError   the server read only a part of the prompt
    Interrupted (KeyboardInterrupt)   a run in `run` was stopped; the finished rows are kept

Two kinds matter to users: *your declaration is wrong* (nothing ran) and *this call failed* (the run went on). The
message of each error is one paragraph that says what is wrong, where, and how to fix it. A notebook prints only that
paragraph, without a traceback.
"""

from __future__ import annotations

import difflib
import os
import traceback
from collections.abc import Iterable, Sequence
from typing import ClassVar

_shows_tracebacks = os.environ.get("BUTTERMILK_DEBUG", "") not in ("", "0")


def show_tracebacks(on: bool) -> None:  # a switch
    """Let IPython print the whole traceback of this package's errors, or only their message."""
    global _shows_tracebacks
    _shows_tracebacks = on


def is_debugging() -> bool:
    """Whether whole tracebacks and events are shown."""
    return _shows_tracebacks


class _OneParagraph:
    """Makes IPython print the message without a traceback, unless somebody looks for a mistake in the program."""

    def _render_traceback_(self) -> list[str]:
        if _shows_tracebacks:
            assert isinstance(self, BaseException)
            return "".join(traceback.format_exception(self)).splitlines()
        return [f"{type(self).__name__}: {self}"]


class ButtermilkError(_OneParagraph, Exception):
    """Base of every error that this package raises on purpose."""


class SetupError(ButtermilkError):
    """A declaration is wrong; nothing was sent, nothing was paid for.

    Parameters
    ----------
    *problems
        One sentence each. Several problems print as a list.

    Examples
    --------
    >>> print(SetupError("no column `text`.", "no model `gtp`."))
    2 problems, found before anything was sent:
      1. no column `text`.
      2. no model `gtp`.
    """

    def __init__(self, *problems: str) -> None:
        self.problems: tuple[str, ...] = problems
        super().__init__(_join_problems(problems))


class CacheMiss(SetupError):
    """An answer is not in the cache, and `cache="only"` forbids new calls."""


class ConsentError(SetupError):
    """A text would go to a provider that `bm.allow` has not allowed, or that it must never go to."""


class UnconfirmedError(SetupError):
    """A run would send more new calls to remote models than `confirm_above`, and was not confirmed."""


class StoreError(ButtermilkError):
    """The DuckDB file cannot be read or written."""


class RunStopped(ButtermilkError):
    """A run in `run_async` was stopped (`run` raises Interrupted; a KeyboardInterrupt in a task would end its loop)."""


class BudgetReached(RunStopped):
    """The next call might cost more than is left; finished answers are stored, and running again continues."""


class RunError(ButtermilkError):
    """One answer failed; the runner writes it as a row with this `status`."""

    status: ClassVar[str] = "error"


class InvalidAnswer(RunError):
    """The model's answer is not one of the possible answers."""

    status = "invalid"


class SkippedCell(RunError):
    """A question that cannot be asked: no cues for an offline model, no truth, nothing to read."""

    status = "skipped"


class ModelError(RunError):
    """A call failed.

    Parameters
    ----------
    message
        What happened, and what to do about it.
    code
        The provider's own code or HTTP status, if it gave one.
    retry_after_s
        Seconds after which the provider allows another try.
    """

    transient: ClassVar[bool] = False
    """Whether the same request may succeed later, so that it is sent again."""
    may_have_cost: ClassVar[bool] = False
    """Whether the provider may ask for the price of the call although there is no answer."""

    def __init__(self, message: str, *, code: str | None = None, retry_after_s: float | None = None) -> None:
        self.code = code
        self.retry_after_s = retry_after_s
        super().__init__(message)


class AuthenticationError(ModelError):
    """The key is missing, wrong or not allowed to use this model."""


class QuotaError(ModelError):
    """The account has no credit left; sending the request again does not help."""


class RateLimitError(ModelError):
    """Too many requests in too short a time."""

    transient = True


class OverloadedError(ModelError):
    """The provider reports that it is overloaded."""

    transient = True


class CallTimeout(ModelError):
    """There was no answer within the time limit (`timeout_s` in buttermilk.yaml)."""

    status = "timeout"
    transient = True
    may_have_cost = True


class UnavailableError(ModelError):
    """The server could not be reached, or failed."""

    transient = True


class ConnectionLostError(UnavailableError):
    """The connection broke after the request was sent, or a gateway did not wait for the answer."""

    may_have_cost = True


class BadRequestError(ModelError):
    """The provider refused the request as malformed or unknown."""


class ContextTooLongError(BadRequestError):
    """The text and the prompt together are longer than the model can read."""


class PromptCutError(ContextTooLongError):
    """The server read only a part of the prompt, and answered nevertheless."""

    may_have_cost = True


class ContentFilterError(ModelError):
    """The provider's filter stopped the request or the answer."""

    status = "filtered"


class BadResponseError(ModelError):
    """The provider sent something that is not an answer."""

    transient = True
    may_have_cost = True


class CallCancelled(ModelError):
    """The run was stopped before the model answered."""

    status = "cancelled"
    may_have_cost = True


class Interrupted(_OneParagraph, KeyboardInterrupt):
    """The user stopped a run. Finished answers are stored, and running the cell again continues from there."""


def _join_problems(problems: Sequence[str]) -> str:
    if len(problems) == 1:
        return problems[0]
    lines = [f"{len(problems)} problems, found before anything was sent:"]
    return "\n".join(lines + [f"  {i}. {p}" for i, p in enumerate(problems, 1)])


def nearest(name: str, valid: Iterable[str]) -> str:
    """The end of a sentence: the nearest valid name, or the valid names if none is near.

    Examples
    --------
    >>> nearest("titel", ["title", "body"])
    'did you mean `title`?'
    >>> nearest("x", ["title", "body"])
    'there are `title`, `body`.'
    """
    names = list(valid)
    matches = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if matches:
        return f"did you mean `{matches[0]}`?"
    if not names:
        return "there are none."
    listing = ", ".join(f"`{n}`" for n in names[:12])
    return f"there are {listing}{', ...' if len(names) > 12 else '.'}"
