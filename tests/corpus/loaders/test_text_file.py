"""Text files that are read line by line, as often as needed."""

from __future__ import annotations

import json
import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

import buttermilk_nb as bm
from buttermilk_nb.corpus.loaders.encodings import decode
from buttermilk_nb.corpus.loaders.text_file import TextFile
from buttermilk_nb.errors import SetupError

MB = 1 << 20


@settings(max_examples=150, deadline=None)
@given(
    text=st.text(st.sampled_from("aé€\N{GRINNING FACE}\r\n\0ß,\"'"), min_size=1, max_size=60),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"]),
    stated=st.booleans(),
)
def test_lines_are_those_of_the_decoded_bytes(tmp_path_factory, text, encoding, stated):
    data = text.encode(encoding, errors="ignore")
    path = tmp_path_factory.mktemp("texts") / "x.txt"
    path.write_bytes(data)
    named = encoding if stated else None
    whole = decode(data, named, path.name)
    file = TextFile(path, named)
    assert ("".join(file.lines()), file.encoding, file.remarks) == whole
    assert "".join(file.lines("\n")) == whole.text
    assert [line[:-1] for line in file.lines("\n") if line[-1] == "\n"] == whole.text.split("\n")[:-1]


def test_a_letter_that_is_cut_by_a_block_is_whole(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("a" * (MB - 1) + "é" + "b" * MB, encoding="utf-8")
    file = TextFile(path)
    assert next(file.lines())[MB - 1] == "é"
    assert file.facts["bytes"] == 2 * MB + 1


def test_a_file_in_another_encoding_after_a_megabyte_is_recognised(tmp_path):
    path = tmp_path / "x.csv"
    lines = b"".join(b"%d,a quiet day\n" % i for i in range(80_000))
    path.write_bytes(b"id,text\n" + lines + "z,Größe".encode("cp1252"))
    corpus = bm.load(path, record_id="id")
    assert corpus["z"].content == "Größe"
    assert "cp1252" in corpus.provenance["encoding"]


def test_a_file_that_is_changed_while_it_is_read_is_refused(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("one\ntwo\n")
    file = TextFile(path)
    path.write_text("three\n")
    os.utime(path, ns=(1, 1))
    with pytest.raises(SetupError, match="was changed while it was read; load it again"):
        list(file.lines())


def _peak_and_rest(load) -> tuple[float, float]:
    tracemalloc.start()
    try:
        corpus = load()
        rest, peak = tracemalloc.get_traced_memory()
        assert len(corpus) == 2_000
        return peak / MB, rest / MB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_columns_that_are_not_kept_cost_no_memory(tmp_path: Path, ending):
    path = tmp_path / f"x.{ending}"
    noise = "n" * 10_000
    with path.open("w") as file:
        if ending == "csv":
            file.write("id,text,noise\n")
        for i in range(2_000):
            row = {"id": f"r{i}", "text": f"Text {i}", "noise": noise}
            file.write((",".join(row.values()) if ending == "csv" else json.dumps(row)) + "\n")
    bm.load(path, record_id="id", metadata=[])  # what is imported on first use is not of the file
    peak, rest = _peak_and_rest(lambda: bm.load(path, record_id="id", metadata=[]))
    print(f"{path.stat().st_size / MB:.0f} MB of {ending}: {peak:.1f} MB at most, {rest:.1f} MB kept")
    assert path.stat().st_size > 19 * MB
    assert peak < rest + 6
    assert rest < 5
