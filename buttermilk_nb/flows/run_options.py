"""`RunOptions`: the checked options of `Flow.run`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ..config.settings import CACHE_MODES, CacheMode
from ..errors import SetupError, nearest
from ..project.project import Project
from ..schema import STATUSES
from .batch.run_batches import check_mode


class RunOptions(NamedTuple):
    """The options of a run, checked and with defaults filled in."""

    concurrency: int
    on_error: str
    cache: CacheMode
    retry: frozenset[str]
    budget_usd: float | None
    time_limit_s: float | None
    yes: bool
    batch: bool

    @classmethod
    def checked(
        cls,
        project: Project,
        *,
        concurrency: int | None,
        on_error: str,
        cache: CacheMode | None,
        retry: Iterable[str],
        budget_usd: float | None,
        time_limit_s: float | None,
        yes: bool,
        batch: bool,
    ) -> RunOptions:
        """Check the options; raises SetupError for an invalid one."""
        statuses = frozenset([retry] if isinstance(retry, str) else retry)
        mode = cache or project.cache_mode
        if mode not in CACHE_MODES:
            raise SetupError(f"cache={mode!r} must be one of {', '.join(CACHE_MODES)}; {nearest(mode, CACHE_MODES)}")
        if on_error not in ("keep", "raise"):
            raise SetupError(f"on_error={on_error!r}: write `keep` (a failed answer is stored as a row) or `raise`.")
        for status in statuses - set(STATUSES):
            raise SetupError(f"retry: {status!r} is not a status; {nearest(status, STATUSES)}")
        if concurrency is not None and concurrency < 1:
            raise SetupError(f"concurrency={concurrency}: it must be 1 or more calls at the same time.")
        if budget_usd is not None and not budget_usd >= 0:
            raise SetupError(f"budget_usd={budget_usd}: a budget must be 0 or more US dollars.")
        if time_limit_s is not None and not time_limit_s > 0:
            raise SetupError(f"time_limit_s={time_limit_s}: a time limit must be more than 0 seconds.")
        if batch:
            check_mode(mode)
        limit = concurrency or project.settings.concurrency
        return cls(limit, on_error, mode, statuses, budget_usd, time_limit_s, yes, batch)
