"""Files of other people: what they unpack to is known before it is in memory, and they name no file outside theirs."""

from __future__ import annotations

import io
import os
import random
import sys
import zipfile
from pathlib import Path

import duckdb
import openpyxl
import pandas as pd
import pytest
from PIL import Image as Picture

import buttermilk_nb as bm
from buttermilk_nb.corpus.loaders import dataframes, open_workbook, zip_files

SECRET = "the text of a private file"


def png():
    file = io.BytesIO()
    Picture.new("RGB", (4, 3), "teal").save(file, "PNG")
    return file.getvalue()


def workbook(path, rows=(("id", "text"), (1, "One."))):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def with_part(path, name, data):
    """The workbook with another part in the place of its own."""
    changed = path.with_name("changed.xlsx")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            new.writestr(member, data if member == name else old.read(member))
        if name not in old.namelist():
            new.writestr(name, data)
    return changed


def sheet(cells):
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<worksheet xmlns="{space}"><dimension ref="A1:XFD1048576"/><sheetData>{cells}</sheetData></worksheet>'


# --- workbooks -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "part"),
    [("xl/sharedStrings.xml", "texts"), ("xl/worksheets/sheet1.xml", "sheets"), ("xl/styles.xml", "other parts")],
)
def test_a_workbook_that_unpacks_to_gigabytes_is_one_sentence(tmp_path, monkeypatch, name, part):
    monkeypatch.setitem(open_workbook._LIMITS, part, 1_000_000)
    bomb = with_part(workbook(tmp_path / "a.xlsx"), name, "<x>" + " " * 1_100_000 + "</x>")
    assert bomb.stat().st_size < 20_000
    for load in (
        lambda: bm.load(bomb, content="text"),
        lambda: bm.import_labels(bomb, bm.Corpus([]), bm.Criteria("c", "?")),
    ):
        with pytest.raises(bm.SetupError, match=f"the {part} of `changed.xlsx` would unpack to 1 MB"):
            load()


def test_a_row_numbered_three_hundred_million_fills_no_memory(tmp_path):
    cells = '<row r="1"><c r="A1" t="inlineStr"><is><t>text</t></is></c></row>'
    far = f'{cells}<row r="300000000"><c r="A300000000" t="inlineStr"><is><t>x</t></is></c></row>'
    bomb = with_part(workbook(tmp_path / "a.xlsx"), "xl/worksheets/sheet1.xml", sheet(far))
    with pytest.raises(bm.SetupError, match="has a row below number 1,048,576, which no sheet can have"):
        bm.load(bomb, content="text")


def test_a_sheet_that_claims_to_be_as_large_as_can_be_is_read_as_it_is(tmp_path):
    cells = "".join(
        f'<row r="{row}"><c r="A{row}" t="inlineStr"><is><t>{text}</t></is></c></row>'
        for row, text in ((1, "text"), (2, "One."), (5, "Two."), (9, ""))
    )
    corpus = bm.load(with_part(workbook(tmp_path / "a.xlsx"), "xl/worksheets/sheet1.xml", sheet(cells)), content="text")
    assert [record.content for record in corpus] == ["One.", "Two."]
    assert corpus.rejected.line.tolist() == [3, 4]


# --- zips and Parquet ----------------------------------------------------------------------------


def test_a_zip_that_unpacks_to_more_than_the_limit_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(zip_files, "MAX_BYTES", 1_000_000)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", " " * 1_100_000)
    with pytest.raises(bm.SetupError, match="`bomb.zip` would unpack to more than"):
        bm.load(tmp_path / "bomb.zip")


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [("MAX_ROWS", "has 20,000 rows, and at most 1,000 are read"), ("MAX_BYTES", "take 0.0 GB, and at most 0.0 GB")],
)
def test_a_parquet_file_whose_values_fill_the_memory_is_one_sentence(tmp_path, monkeypatch, limit, sentence):
    monkeypatch.setattr(dataframes, limit, 1_000)
    file = tmp_path / "bomb.parquet"
    duckdb.sql("select repeat('x', 1000) as text, [1, 2] as parts from range(20000)").write_parquet(str(file))
    assert file.stat().st_size < 50_000
    with pytest.raises(bm.SetupError, match=sentence):
        bm.load(file, content="text")


# --- files elsewhere -----------------------------------------------------------------------------


@pytest.fixture
def private(tmp_path):
    """A folder beside the study's, with a text and an image that nobody wants to send."""
    folder = tmp_path / "private"
    folder.mkdir()
    (folder / "diary.txt").write_text(SECRET)
    (folder / "passport.png").write_bytes(png())
    return folder


@pytest.fixture
def texts(tmp_path):
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "a.txt").write_text("Mine.")
    return folder


posix = pytest.mark.skipif(sys.platform == "win32", reason="links need a right on Windows")


@posix
def test_links_out_of_a_folder_are_rejected_and_read_only_where_wanted(texts, private):
    (texts / "b.txt").symlink_to(private / "diary.txt")
    (texts / "c").symlink_to(private, target_is_directory=True)
    (texts / "d.txt").symlink_to(texts / "a.txt")  # inside
    corpus = bm.load(texts)
    assert [record.record_id for record in corpus] == ["a", "d"]
    assert (
        corpus.rejected.reason.tolist()
        == ["this is a link to something outside the folder; follow_links=True reads it"] * 2
    )
    assert SECRET not in str([record.content for record in corpus])
    followed = bm.load(texts, follow_links=True)
    assert sorted(record.record_id for record in followed) == ["a", "b", "c/diary", "c/passport", "d"]


@posix
def test_a_folder_of_links_only_says_so(tmp_path, private):
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "a.txt").symlink_to(private / "diary.txt")
    with pytest.raises(bm.SetupError, match="contains only links to files outside it; follow_links=True reads them"):
        bm.load(tmp_path / "links")


@posix
def test_a_folder_that_links_to_itself_ends(texts):
    (texts / "again").symlink_to(texts, target_is_directory=True)
    assert len(bm.load(texts, follow_links=True)) == 1
    assert (len(bm.load(texts)), len(bm.load(texts).rejected)) == (1, 0)


@posix
def test_the_folder_itself_may_be_a_link(texts, tmp_path):
    (tmp_path / "link").symlink_to(texts, target_is_directory=True)
    assert len(bm.load(tmp_path / "link")) == 1


@pytest.mark.parametrize(
    "path", ["../private/passport.png", "ABSOLUTE", "sub/../../private/passport.png", "..\\private\\passport.png"]
)
def test_an_image_outside_the_table_s_folder_is_not_read(texts, private, path):
    path = path.replace("ABSOLUTE", str(private / "passport.png"))
    pd.DataFrame({"text": ["One."], "picture": [path]}).to_csv(texts / "table.csv", index=False)
    with pytest.raises(bm.SetupError, match=r"is outside the folder `texts`, so it is not read; .*images_from="):
        bm.load(texts / "table.csv", content="text", images="picture")


@posix
def test_a_link_to_an_image_outside_is_not_read_either(texts, private):
    (texts / "x.png").symlink_to(private / "passport.png")
    pd.DataFrame({"text": ["One."], "picture": ["x.png"]}).to_csv(texts / "table.csv", index=False)
    with pytest.raises(bm.SetupError, match="is outside the folder"):
        bm.load(texts / "table.csv", content="text", images="picture")


def test_a_folder_of_images_elsewhere_is_named(texts, private, monkeypatch):
    pd.DataFrame({"text": ["One."], "picture": ["passport.png"]}).to_csv(texts / "table.csv", index=False)
    corpus = bm.load(texts / "table.csv", content="text", images="picture", images_from=private)
    assert [image.name for image in corpus.records[0].images] == ["passport.png"]
    monkeypatch.chdir(texts)
    frame = pd.DataFrame({"text": ["One."], "picture": [str(private / "passport.png")]})
    with pytest.raises(bm.SetupError, match="is outside"):
        bm.load(frame, content="text", images="picture")
    assert len(bm.load(frame, content="text", images="picture", images_from=private)) == 1
    with pytest.raises(bm.SetupError, match="images_from='absent': there is no such folder"):
        bm.load(frame, content="text", images="picture", images_from="absent")


# --- mutations -----------------------------------------------------------------------------------


def test_a_thousand_mutations_of_files_raise_nothing_raw(tmp_path):
    """Bytes of a workbook, a zip, a Parquet file, JSON and CSV are changed, cut, doubled; each is read or refused."""
    frame = pd.DataFrame({"id": ["a", "b"], "text": ["One.", "Zwei «ä»"], "n": [1, 2]})
    duckdb.register("frame", frame)
    duckdb.sql("from frame").write_parquet(str(tmp_path / "a.parquet"))
    workbook(tmp_path / "a.xlsx", [("id", "text"), ("a", "One."), ("b", "Two.")])
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", "One. " * 50)
        archive.writestr("b/c.txt", "Two.")
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_json(tmp_path / "a.json", orient="records")
    frame.to_json(tmp_path / "a.jsonl", orient="records", lines=True)
    draw = random.Random(7)
    outcomes = {"read": 0, "a sentence": 0}
    kinds = {"xlsx": 100, "zip": 180, "parquet": 180, "csv": 180, "json": 180, "jsonl": 180}
    for kind, n in kinds.items():
        original = (tmp_path / f"a.{kind}").read_bytes()
        file = tmp_path / f"mutated.{kind}"
        for _ in range(n):
            file.write_bytes(mutated(original, draw))
            try:
                bm.load(file, content=None if kind == "zip" else "text")
                outcomes["read"] += 1
            except bm.SetupError:
                outcomes["a sentence"] += 1
    assert sum(outcomes.values()) == 1_000
    assert min(outcomes.values()) > 20


def mutated(data, draw):
    data = bytearray(data)
    for _ in range(draw.randint(1, 4)):
        place = draw.randrange(len(data) or 1)
        change = draw.randrange(5)
        if change == 0:
            data[place : place + 1] = bytes([draw.randrange(256)])
        elif change == 1:
            del data[place : place + draw.randint(1, 30)]
        elif change == 2:
            data[place:place] = draw.choice([b"\0", b"\xff\xfe", b'"', b"[" * 3_000, b"9" * 5_000, b"\n", b",", b"{"])
        elif change == 3:
            data[place:place] = data[place : place + 40]
        else:
            data = data[: place + 1]
    return bytes(data)


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".json", ".txt", ".xlsx", ".parquet", ".zip", ""])
@pytest.mark.parametrize("kind", ["pipe", "device", "link to a device"])
def test_a_pipe_or_a_device_is_a_sentence_and_is_not_read(tmp_path, ending, kind):
    path = tmp_path / f"texts{ending}"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path = Path("/dev/zero")
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(bm.SetupError, match="neither a file nor a folder"):
        bm.load(path, content="text")
    with pytest.raises(bm.SetupError, match="is not a file"):
        bm.Criteria.from_file(path)


def test_a_name_that_is_too_long_is_a_sentence(tmp_path):
    with pytest.raises(bm.SetupError, match="cannot be opened: File name too long"):
        bm.load(tmp_path / ("a" * 5_000 + ".csv"), content="text")
    with pytest.raises(bm.SetupError, match=r"cannot be (?:read|opened): File name too long"):
        bm.Criteria.from_file(tmp_path / ("a" * 5_000 + ".md"))
