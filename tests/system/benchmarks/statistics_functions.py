"""Every statistic with resamples: `uv run python tests/system/benchmarks/statistics_functions.py [name ...]`.

100,000 ratings, 1,000 resamples; on each kind of scale, without gaps, and with a tenth of the answers missing and the
records in clusters of five. Wall seconds, the seconds of the processor, and the highest memory of the process so far.
`--small` tries the command out with few ratings, `--large` takes 1,000,000.
"""

from __future__ import annotations

import os
import platform
import resource
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

import buttermilk_nb as bm

N = 2_000 if "--small" in sys.argv else 1_000_000 if "--large" in sys.argv else 100_000
WANTED = [word for word in sys.argv[1:] if not word.startswith("--")]
SCALES = {"yes/no": ["no", "yes"], "1-5": list("12345"), "a | b | c | d": list("abcd"), "0..100": []}
SETS = "labels: x | y | z"


def ratings(
    scale: str, coders: int, replicates: int = 1, *, has_gaps: bool = False, truth: bool = False
) -> pd.DataFrame:
    """Codes that are right in seven of ten cases and else drawn at random."""
    draw = np.random.default_rng(2024)
    units = N // (coders * replicates)
    names = np.array(['["x"]', '["x", "y"]', "[]", '["z"]'] if scale == SETS else SCALES[scale])

    def codes(shape: tuple[int, ...]) -> np.ndarray:
        return draw.integers(0, len(names), shape) if len(names) else np.round(draw.uniform(0, 100, shape), 2)

    right = codes((units, 1, 1))
    given = np.where(draw.random((units, coders, replicates)) < 0.7, right, codes((units, coders, replicates)))
    columns = [(f"coder {i}", k, given[:, i, k]) for i in range(coders) for k in range(replicates)]
    columns += [("truth", 0, right[:, 0, 0])] if truth else []
    records = [f"r{i}" for i in range(units)]
    frames = []
    for coder, replicate, own in columns:
        frame = pd.DataFrame({"record_id": records, "criterion": "calm", "coder": coder, "replicate": replicate})
        is_missing = (draw.random(units) < 0.1) & has_gaps & (coder != "truth")
        frame["category"] = pd.Series(names[own] if len(names) else own.astype(str)).where(~is_missing, None)
        frame["value"] = np.nan if len(names) else np.where(is_missing, np.nan, own)
        frames.append(frame)
    result = pd.concat(frames, ignore_index=True).assign(scale=scale, kind="human")
    if has_gaps:
        result["cluster"] = (result.record_id.str[1:].astype(int) // 5).astype(str)
    return result


def as_judges(frame: pd.DataFrame, n: int) -> pd.DataFrame:
    """The same, with the first coders as instruments."""
    return frame.assign(kind=np.where(frame.coder.isin([f"coder {i}" for i in range(n)]), "instrument", "human"))


def passages() -> pd.DataFrame:
    """Two marked passages of four coders in each text."""
    draw = np.random.default_rng(2024)
    texts = N // 8
    middle = np.repeat(draw.integers(50, 400, texts), 8)
    start = middle + draw.integers(-20, 20, len(middle))
    frame = pd.DataFrame({"record_id": np.repeat([f"r{i}" for i in range(texts)], 8), "criterion": "calm"})
    frame["coder"] = np.tile(np.repeat([f"coder {i}" for i in range(4)], 2), texts)
    return frame.assign(start=start, end=start + draw.integers(5, 50, len(start)), length=500)


def works() -> Iterator[tuple[str, Callable[[], object]]]:
    """Each statistic with its data."""
    in_group = {f"coder {i}": "ab"[i % 2] for i in range(2, 8)}
    for scale in (*SCALES, SETS):
        for gaps in (False, True):
            note = f"{scale}{', gaps and clusters' if gaps else ''}"
            for coders in (2, 8):
                frame = ratings(scale, coders, has_gaps=gaps)
                yield f"agreement, {coders} coders, {note}", lambda frame=frame: bm.agreement(frame)
            frame = ratings(scale, 4, has_gaps=gaps, truth=True)
            yield f"metrics, 4 coders, {note}", lambda frame=frame: bm.metrics(frame)
            frame = ratings(scale, 2, 5, has_gaps=gaps)
            yield f"stability, 5 replicates, {note}", lambda frame=frame: bm.stability(frame)
            frame = ratings(scale, 4, has_gaps=gaps)
            yield f"compare_levels, {note}", lambda frame=frame: bm.compare_levels(frame, factor="coder")
            yield f"disagreements, {note}", lambda frame=frame: bm.disagreements(frame)
            frame = as_judges(ratings(scale, 6, has_gaps=gaps), 2)
            yield f"alt_test, {note}", lambda frame=frame: bm.alt_test(frame)
            frame = as_judges(ratings(scale, 8, has_gaps=gaps), 2)
            yield f"perspectives, {note}", lambda frame=frame: bm.perspectives(frame, groups=in_group)
    marks = passages()
    yield "span_agreement, 4 coders", lambda: bm.span_agreement(marks)


def main() -> None:
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores, {N:,} ratings")
    bm.agreement(ratings("1-5", 2), n_boot=2)  # what is imported at first use
    for name, work in works():
        if WANTED and not any(word in name for word in WANTED):
            continue
        wall, processor = time.perf_counter(), time.process_time()
        work()
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{name:<58} {wall:7.2f} s {processor:7.2f} s CPU {megabytes:7,.0f} MB   <= 2 s", flush=True)


if __name__ == "__main__":
    main()
