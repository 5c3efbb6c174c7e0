"""Statistics: `uv run python tests/system/benchmarks/agreement.py`. Ordinal alpha, once and bootstrapped.

Beside ours stands the `krippendorff` package where it is installed (`pip install krippendorff`; it need not be). It
takes one resample at a time, so its bootstrap is a loop. Best of 5, in turn, on one machine in one minute; the
seconds of the processor are given too, as other work may be going on. `--small` tries the command out with few ratings.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable

import numpy as np

from buttermilk_nb.analysis.coefficients import COEFFICIENTS, ReliabilityMatrix

ALPHA = COEFFICIENTS["krippendorff_alpha"]


def ratings(units: int, coders: int, missing: float = 0.0) -> ReliabilityMatrix:
    """Five-point ratings that scatter around a value of each unit."""
    draw = np.random.default_rng(2024)
    matrix = np.clip(draw.integers(0, 5, (units, 1)) + draw.integers(-1, 2, (units, coders)), 0, 4)
    matrix[draw.random(matrix.shape) < missing] = -1
    return ReliabilityMatrix(matrix.astype(np.intp), "ordinal", ("1", "2", "3", "4", "5"), np.arange(1.0, 6.0))


def best(*works: Callable[[], object], times: int = 5) -> list[tuple[float, float]]:
    """Wall and processor seconds of each, the best of several, taken in turn."""
    found = [(np.inf, np.inf)] * len(works)
    for _ in range(times):
        for i, work in enumerate(works):
            wall, processor = time.perf_counter(), time.process_time()
            work()
            spent = time.perf_counter() - wall, time.process_time() - processor
            found[i] = min(found[i][0], spent[0]), min(found[i][1], spent[1])
    return found


def row(what: str, ours: str, floor: str, ratio: str, goal: str) -> None:
    print(f"{what:<48} {ours:>30} {floor:>32} {ratio:>8}   {goal}", flush=True)


def shown(spent: tuple[float, float]) -> str:
    return f"{spent[0] * 1000:,.1f} ms ({spent[1] * 1000:,.1f} ms CPU)"


def compare(what: str, goal: str, ours: Callable[[], np.ndarray], theirs: Callable[[], np.ndarray] | None) -> None:
    if theirs is None:
        row(what, shown(best(ours)[0]), "krippendorff is not installed", "", goal)
        return
    assert np.allclose(ours(), theirs())
    mine, other = best(ours, theirs)
    row(what, shown(mine), shown(other), f"{mine[0] / other[0]:.2f}x", goal)


def main() -> None:
    try:
        import krippendorff
    except ImportError:
        krippendorff = None

    def package(codes: ReliabilityMatrix, drawn: np.ndarray | None = None) -> Callable[[], np.ndarray] | None:
        if krippendorff is None:
            return None
        table = np.where(codes.matrix < 0, np.nan, codes.matrix + 1.0)
        samples = np.arange(len(table))[None] if drawn is None else drawn

        def loop() -> np.ndarray:
            return np.array(
                [
                    krippendorff.alpha(
                        reliability_data=table[one].T,
                        level_of_measurement="ordinal",
                        value_domain=[1.0, 2.0, 3.0, 4.0, 5.0],
                    )
                    for one in samples
                ]
            )

        return loop

    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores")
    row("", "buttermilk_nb", "krippendorff", "ratio", "goal")
    many, n_resamples = (1_000, 10) if "--small" in sys.argv else (100_000, 1000)
    for missing in (0.0, 0.2):
        large, small = ratings(many, 5, missing), ratings(1000, 5, missing)
        drawn = np.random.default_rng(7).integers(0, 1000, (n_resamples, 1000))
        weights = np.apply_along_axis(np.bincount, 1, drawn, minlength=1000).astype(np.float64)
        note = f", {missing:.0%} missing" if missing else ""
        compare(
            f"ordinal alpha, {many:,} x 5{note}",
            "<= 112 ms",
            lambda codes=large: ALPHA.estimate(codes),
            package(large),
        )
        compare(
            f"   {n_resamples:,} bootstraps of 1,000 x 5{note}",
            "<= 340 ms",
            lambda codes=small: ALPHA.estimate(codes, weights),
            package(small, drawn),
        )


if __name__ == "__main__":
    main()
