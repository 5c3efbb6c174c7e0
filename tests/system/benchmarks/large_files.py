"""Large tables as a stream: `uv run python tests/system/benchmarks/large_files.py`.

A CSV file of 1 GB and a JSON Lines file of five million lines are loaded, each in a process of its own. The floor is
the bare csv or json module over the same file. Memory is what the process has taken beyond its imports: at most, and
at the end, when only the corpus is left. `--small` tries the command out with a hundredth of the rows.
"""

from __future__ import annotations

import csv
import gc
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SMALL = "--small" in sys.argv
WORDS = "the harbour was closed on monday and nobody said why although the guard knew about the boats and the tide "
DIVISOR = 100 if SMALL else 1
MB = 1 << 20


def write_csv(path: Path) -> int:
    """A gigabyte of articles, with columns that no study keeps."""
    n = 520_000 // DIVISOR
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text", "outlet", "html"])
        for i in range(n):
            writer.writerow([f"r{i}", f"{i} {WORDS * 9}", f"outlet {i % 7}", f"<p>{WORDS * 9}</p>"])
    return n


def write_json_lines(path: Path) -> int:
    """Five million posts."""
    n = 5_000_000 // DIVISOR
    with path.open("w", encoding="utf-8") as file:
        for i in range(n):
            post = {"id": f"r{i}", "text": f"{i} {WORDS[: 40 + i % 60]}", "author": f"a{i % 9973}", "likes": i % 11}
            file.write(f"{json.dumps(post)}\n")
    return n


def bare_pass(path: Path) -> float:
    """The seconds that the bare module takes for the file."""
    start = time.perf_counter()
    with path.open(encoding="utf-8", newline="") as file:
        for _ in csv.reader(file) if path.suffix == ".csv" else map(json.loads, file):
            pass
    return time.perf_counter() - start


def load_alone(path: Path) -> None:
    """Load the file, and print the records, the seconds and the memory as JSON."""
    import pandas  # noqa: F401  # what it takes is not the corpus's

    import buttermilk_nb as bm

    warm = path.with_name(f"warm{path.suffix}")
    warm.write_text('{"id": "a", "text": "b"}\n' if path.suffix == ".jsonl" else "id,text\na,b\n")
    bm.load(warm)
    before = resident()
    start = time.perf_counter()
    corpus = bm.load(path, record_id="id", metadata=["outlet" if path.suffix == ".csv" else "author"])
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before
    gc.collect()
    text_mb = sum(len(record.content) for record in corpus) / MB
    print(json.dumps([len(corpus), seconds, peak, resident() - before, text_mb]))


def resident() -> float:
    """The memory of this process, in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / MB


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, write in (("x.csv", write_csv), ("x.jsonl", write_json_lines)):
            path = Path(folder) / name
            n = write(path)
            floor = bare_pass(path)
            command = [sys.executable, __file__, "--load", str(path)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            n_loaded, seconds, peak, rest, text = json.loads(done.stdout)
            assert n_loaded == n
            print(
                f"{path.stat().st_size / MB:,.0f} MB of {path.suffix}, {n:,} rows: {seconds:.1f} s, {seconds / floor:.1f}x "
                f"of {floor:.1f} s for the bare module; memory {peak:,.0f} MB at most, {rest:,.0f} MB at the end, "
                f"of which {text:,.0f} MB are texts"
            )
            path.unlink()


if __name__ == "__main__":
    load_alone(Path(sys.argv[2])) if "--load" in sys.argv else main()
