"""The errors, in one tree.

::

    ButtermilkError
    ├── SetupError            something you declared is wrong; found before anything is paid for
    │   ├── CacheMiss         cache="only", and an answer is not in the cache
    │   ├── ConsentError      texts would go to a provider that nobody has allowed
    │   └── UnconfirmedError  more calls than `confirm_above`, and nobody said yes
    ├── StoreError            the DuckDB file cannot be read or written; stops a run
    ├── RunStopped            a run in `run_async` was stopped; the finished rows are kept
    │   └── BudgetReached     the next call might cost more than is left of the budget
    └── RunError              one cell failed; becomes a row with a status
        ├── InvalidAnswer     the answer does not fit the scale
        ├── SkippedCell       there was nothing to ask, or nothing to answer with
        └── ModelError        the call itself failed
            ├── AuthenticationError, QuotaError, RateLimitError, OverloadedError
            ├── CallTimeout, UnavailableError
            └── BadRequestError, ContextTooLongError, ContentFilterError, BadResponseError
    Interrupted (KeyboardInterrupt)   a run in `run` was stopped; the finished rows are kept

Two kinds matter to a reader: *your declaration is wrong* (nothing ran) and *this call failed* (the
run went on). Each error is one paragraph that says what, where and how to mend it; in a notebook
that paragraph is all that prints, while the class stays catchable.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import ClassVar


class _OneParagraph:
    """What makes IPython print the message alone."""

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]


class ButtermilkError(_OneParagraph, Exception):
    """Base of every error that this package raises on purpose."""


class SetupError(ButtermilkError):
    """A declaration is wrong. Nothing was sent, nothing was paid for.

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
    """`cache="only"` was asked for and an answer is not in the cache."""


class ConsentError(SetupError):
    """A text would go to a provider that `bm.allow` has not named, or that it must not go to at all."""


class UnconfirmedError(SetupError):
    """A run would send more new calls to remote models than `confirm_above`, and nobody confirmed it."""


class StoreError(ButtermilkError):
    """The evidence file cannot be read or written."""


class RunStopped(ButtermilkError):
    """What `run_async` raises where `run` raises Interrupted: a KeyboardInterrupt in a task would end its loop."""


class BudgetReached(RunStopped):
    """The next call might cost more than is left. What had finished is stored; running again goes on from there."""


class RunError(ButtermilkError):
    """One cell failed. The runner writes it as a row whose status is `status`."""

    status: ClassVar[str] = "error"


class InvalidAnswer(RunError):
    """The model answered, but not with one of the answers that were offered."""

    status = "invalid"


class SkippedCell(RunError):
    """A cell that cannot be asked: no cues for an offline model, no truth, nothing to read."""

    status = "skipped"


class ModelError(RunError):
    """A call failed.

    Parameters
    ----------
    message
        What happened, and what to do about it.
    code
        The provider's own code or HTTP status, where it gave one.
    retry_after_s
        Seconds after which the provider said to try again.
    """

    transient: ClassVar[bool] = False
    """Whether the same request may succeed later, so that it is worth sending again."""

    def __init__(self, message: str, *, code: str | None = None, retry_after_s: float | None = None) -> None:
        self.code = code
        self.retry_after_s = retry_after_s
        super().__init__(message)


class AuthenticationError(ModelError):
    """The key is missing, wrong or not allowed to use this model."""


class QuotaError(ModelError):
    """The account has no credit left. Asking again will not help."""


class RateLimitError(ModelError):
    """Too many requests in too short a time."""

    transient = True


class OverloadedError(ModelError):
    """The provider is overloaded and says so."""

    transient = True


class CallTimeout(ModelError):
    """No answer within the time allowed (`timeout_s` in buttermilk.yaml)."""

    status = "timeout"
    transient = True


class UnavailableError(ModelError):
    """The server could not be reached, or failed."""

    transient = True


class BadRequestError(ModelError):
    """The provider refused the request as malformed or unknown."""


class ContextTooLongError(BadRequestError):
    """The text and the prompt together are longer than the model can read."""


class ContentFilterError(ModelError):
    """The provider's filter stopped the request or the answer."""

    status = "filtered"


class BadResponseError(ModelError):
    """The provider sent something that is not an answer."""

    transient = True


class Interrupted(_OneParagraph, KeyboardInterrupt):
    """A run was stopped by the user. What had finished is stored; running the cell again goes on from there."""


def _join_problems(problems: Sequence[str]) -> str:
    if len(problems) == 1:
        return problems[0]
    lines = [f"{len(problems)} problems, found before anything was sent:"]
    return "\n".join(lines + [f"  {i}. {p}" for i, p in enumerate(problems, 1)])


def nearest(name: str, valid: Iterable[str]) -> str:
    """End a sentence with the nearest valid name, or with the valid names where none is near.

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
