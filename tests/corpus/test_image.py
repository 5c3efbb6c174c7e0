"""Images: what is one, what may be stored of it, and how it travels from a file to a message."""

import base64
import hashlib
import io
import json
import random
import struct
import zipfile
import zlib

import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from PIL import Image as Picture

from buttermilk_nb.agents.prompt import BoundPrompt, Prompt
from buttermilk_nb.corpus.corpus import Corpus
from buttermilk_nb.corpus.image import MAX_BYTES, Image
from buttermilk_nb.corpus.load import load
from buttermilk_nb.corpus.record import Record
from buttermilk_nb.errors import SetupError
from buttermilk_nb.llm.message import Message

KINDS = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WEBP": "image/webp"}


def drawn(kind="PNG", size=(40, 30), colour="teal", mode="RGB", **options):
    made = io.BytesIO()
    Picture.new(mode, size, colour).save(made, kind, **options)
    return made.getvalue()


def noise(size=(160, 160)):
    made = io.BytesIO()
    Picture.frombytes("RGB", size, random.Random(1).randbytes(size[0] * size[1] * 3)).save(made, "PNG")
    return made.getvalue()


def image(colour="teal", name="a.png", **options):
    return Image.from_bytes(drawn(colour=colour, **options), name)


def seen(data_url):
    return Picture.open(io.BytesIO(base64.b64decode(data_url.partition(",")[2])))


TEAL, RED = image("teal", "teal.png"), image("red", "red.png")


# --- what is an image ----------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "mime"), KINDS.items())
def test_the_kind_of_an_image_is_in_its_bytes_whatever_the_file_is_called(tmp_path, kind, mime):
    (tmp_path / "x.txt").write_bytes(drawn(kind))
    found = Image.from_file(tmp_path / "x.txt")
    assert (found.mime, found.size, found.name) == (mime, (40, 30), "x.txt")


OTHERS = {
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "bmp": drawn("BMP"),
    "tiff": drawn("TIFF"),
    "text": b"not an image",
    "nothing": b"",
    "riff": b"RIFF\x00\x00\x00\x00WAVEfmt ",
}


@pytest.mark.parametrize("data", OTHERS.values(), ids=OTHERS)
def test_what_is_none_of_the_four_kinds_is_refused_by_name(data):
    with pytest.raises(SetupError, match=r"`scan\.png` is not a PNG, JPEG, GIF or WebP image"):
        Image.from_bytes(data, "scan.png")


@pytest.mark.parametrize("kind", KINDS)
def test_an_image_that_was_cut_off_is_refused_by_name(kind):
    data = drawn(kind)
    with pytest.raises(SetupError, match="`half` cannot be shown"):
        Image.from_bytes(data[: len(data) * 2 // 3], "half")


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(KINDS)), st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), max_size=12))
def test_damaged_bytes_are_a_sentence_or_an_image_that_can_be_shown(kind, changes):
    data = bytearray(drawn(kind))
    for place, value in changes:
        data[place % len(data)] = value
    said, made = "", None
    try:
        made = Image.from_bytes(bytes(data), "x")
    except SetupError as error:
        said = str(error)
    assert Record(images=[made])._repr_html_() if made else said.startswith("`x` ")


def test_a_small_file_that_claims_to_be_huge_is_not_unpacked():
    def chunk(tag, body):
        return struct.pack(">I", len(body)) + tag + body + struct.pack(">I", zlib.crc32(tag + body))

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    bomb = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )
    with pytest.raises(SetupError, match=r"`bomb` has 50,000 x 50,000 pixels, but at most 50,000,000 are allowed"):
        Image.from_bytes(bomb, "bomb")


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path):
    with (tmp_path / "big.png").open("wb") as file:
        file.truncate(3 * 1024**4)  # sparse: it could not be read into memory
    with pytest.raises(SetupError, match=r"`big\.png` is too large: at most 20 MB are allowed"):
        Image.from_file(tmp_path / "big.png")


def test_bytes_that_are_too_many_are_refused():
    with pytest.raises(SetupError, match="this is too large: at most 20 MB"):
        Image.from_bytes(drawn() + b"\0" * MAX_BYTES)


def test_a_missing_image_is_a_sentence(tmp_path):
    with pytest.raises(SetupError, match=r"the image .*none\.png. cannot be read .*No such file"):
        Image.from_file(tmp_path / "none.png")


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16", "CMYK"])
def test_an_image_of_any_colour_mode_has_a_thumbnail(mode):
    made = io.BytesIO()
    Picture.new(mode, (300, 200)).save(made, "JPEG" if mode == "CMYK" else "PNG")
    assert seen(Image.from_bytes(made.getvalue()).thumbnail()).size == (160, 107)


# --- what may be stored of it --------------------------------------------------------------------


def test_a_thumbnail_stays_small_however_lively_the_image():
    found = Image.from_bytes(noise())
    assert len(found.thumbnail()) <= 8_000
    assert seen(found.thumbnail()).size == (160, 160)
    assert seen(found.thumbnail(40)).size == (40, 40)


def test_a_thumbnail_stands_upright_and_on_white():
    upright = Picture.Exif()
    upright[0x0112] = 6  # turned by a quarter
    assert seen(image(kind="JPEG", size=(80, 40), exif=upright).thumbnail()).size == (40, 80)
    assert seen(Image.from_bytes(drawn(mode="RGBA", colour=(0, 0, 0, 0))).thumbnail()).getpixel((9, 9)) == (255,) * 3


def test_the_identity_of_an_image_is_its_bytes():
    assert image(name="a").sha256 == image(name="b").sha256 == hashlib.sha256(drawn()).hexdigest()
    assert TEAL.sha256 != RED.sha256
    assert TEAL.reference == f"sha256:{TEAL.sha256}"


def test_the_body_of_an_image_is_a_row_and_an_image_again():
    row = TEAL.as_row()
    assert (row.kind, row.name, row.version) == ("media", "teal.png", TEAL.reference)
    assert (row.text_hash, row.body) == (TEAL.text_hash, TEAL.data_url())
    assert Image.from_body(row.body, "teal.png") == TEAL


@pytest.mark.parametrize("body", ["", "x.png", "https://example.org/a.png", "data:image/png;base64,%%%", "data:,x"])
def test_a_body_that_holds_no_image_is_a_sentence(body):
    with pytest.raises(SetupError, match="is not an image in a data URL"):
        Image.from_body(body, "a.png")


def test_no_byte_of_an_image_is_in_what_is_printed():
    record = Record(record_id="a", images=[TEAL])
    assert repr(TEAL) == str(TEAL) == f"Image('teal.png', 40 x 30, {len(TEAL.data)} bytes)"
    assert repr(Message("user", "x", (TEAL,))) == f"Message(role='user', content='x', images=({TEAL!r},))"
    assert "PNG" not in repr(record) + str(record) + repr(Corpus([record]))


def test_a_record_with_images_can_be_written_as_json_and_read_again():
    record = Record(record_id="a", content="x", images=[TEAL, RED], local_only=True)
    for again in (
        Record.model_validate_json(record.model_dump_json()),
        Record.model_validate(json.loads(json.dumps(record.model_dump(mode="json")))),
        Record(**record.model_dump()),
    ):
        assert again == record
        assert (again.record_hash, again.annotations_hash) == (record.record_hash, record.annotations_hash)


# --- in a record ---------------------------------------------------------------------------------


def test_the_hash_of_a_record_covers_its_images_and_their_order():
    hashes = {
        Record(record_id="a", content="x", images=i).record_hash for i in ([], [TEAL], [RED], [TEAL, RED], [RED, TEAL])
    }
    assert len(hashes) == 5


def test_the_name_of_an_image_is_a_detail_and_its_bytes_are_not():
    one, other = (Record(record_id="a", content="x", images=[image(name=name)]) for name in ("a", "b"))
    assert one.record_hash == other.record_hash
    assert one.annotations_hash != other.annotations_hash
    assert Record(record_id="a", images=[image("red", "a")], content="x").annotations_hash == one.annotations_hash


def test_a_record_of_images_needs_no_text_and_gets_its_id_from_them():
    one, other = Record(images=[TEAL]), Record(images=RED)
    assert (one.content, len(one.record_id), other.images) == ("", 16, (RED,))
    assert one.record_id != other.record_id


@pytest.mark.parametrize("fields", [{}, {"images": []}, {"record_id": "a"}])
def test_a_record_of_nothing_is_refused(fields):
    with pytest.raises(SetupError, match="a record needs `content`, or `images`"):
        Record(**fields)


def test_a_path_is_not_an_image():
    with pytest.raises(SetupError, match=r"'a.png' is not an Image; write images=\[Image.from_file\(...\)\]"):
        Record(content="x", images=["a.png"])


def test_what_goes_to_the_store_is_the_hash_of_each_body():
    assert json.loads(Record(images=[TEAL, RED]).media_json) == [TEAL.as_row().text_hash, RED.as_row().text_hash]
    assert Record(content="x").media_json is None


def test_a_record_shows_four_thumbnails_at_most_and_escapes_their_names():
    evil = "a\"><script>alert('x')</script>"
    record = Record(record_id="a", images=[Image.from_bytes(noise(), evil) for _ in range(6)])
    html = record._repr_html_()
    assert html.count("<img ") == 4
    assert "... and 2 more" in html
    assert "<script" not in html
    assert len(html) < 4 * 8_200 + 3_000
    assert repr(record) == "Record('a', '', 6 images)"


def test_a_corpus_shows_the_number_of_its_images_and_none_of_them():
    corpus = Corpus([Record(record_id="a", images=[TEAL, RED]), Record(record_id="b", content="x", images=[RED])])
    html = corpus._repr_html_()
    assert repr(corpus) == "Corpus(2 records, 3 images)"
    assert ("3 images" in html, "2 images" in html, "<img" in html, "base64" in html) == (True, True, False, False)
    assert corpus.to_df().images.tolist() == [2, 1]


def test_an_image_alone_shows_its_thumbnail():
    assert TEAL._repr_html_().count(TEAL.thumbnail()) == 1


def test_pieces_are_not_cut_from_a_record_with_images():
    with pytest.raises(SetupError, match="record `a` has 1 image, which cannot be cut"):
        Corpus([Record(record_id="a", content="One. Two.", images=[TEAL])]).segment("sentence")


def test_records_without_text_are_split_by_their_images():
    colours = [(i * 20, 255 - i * 20, i) for i in range(10)]
    records = [Record(record_id=f"r{i}", images=[image(colour)]) for i, colour in enumerate(colours)]
    twin = Record(record_id="twin", images=[image(colours[0])])
    dev, test = Corpus([*records, twin]).split(dev=0.5)
    assert sorted((len(dev), len(test))) == [5, 6]
    assert len({record.record_id for record in dev} & {"r0", "twin"}) in (0, 2)


# --- in a message --------------------------------------------------------------------------------


def test_a_message_without_images_is_sent_and_stored_as_it_always_was():
    message = Message("user", "Read: über")
    assert message.as_dict() == message.as_stored() == {"role": "user", "content": "Read: über"}


def test_a_message_with_images_is_sent_whole_and_stored_by_their_hashes():
    message = Message("user", "Look.", (TEAL, RED))
    sent, stored = message.as_dict(), message.as_stored()
    assert sent["content"] == [
        {"type": "text", "text": "Look."},
        {"type": "image_url", "image_url": {"url": TEAL.data_url()}},
        {"type": "image_url", "image_url": {"url": RED.data_url()}},
    ]
    assert stored["content"][1] == {"type": "image_url", "image_url": {"url": TEAL.reference, "mime": "image/png"}}
    assert "base64" not in json.dumps(stored)


def test_a_message_of_images_alone_has_no_empty_text():
    assert [part["type"] for part in Message("user", "", (TEAL,)).as_dict()["content"]] == ["image_url"]


PICTURED = Record(record_id="a", content="A day.", images=[TEAL, RED])
SYSTEM = "Be brief."


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        (Prompt(user="{{ record.content }}"), [("user", "A day.", 2)]),
        (Prompt(system=SYSTEM, user="{{ record.content }}"), [("system", SYSTEM, 0), ("user", "A day.", 2)]),
        (Prompt(system="{{ record.content }}", user="Go."), [("system", "A day.", 0), ("user", "Go.", 2)]),
        (Prompt(system="{{ record.content }}", user=""), [("system", "A day.", 0), ("user", "", 2)]),
        (Prompt(user="Is it calm?"), [("user", "Is it calm?", 2)]),
        (Prompt(user="{{ record.images|length }}: {{ record.images[1].name }}"), [("user", "2: red.png", 2)]),
        (Prompt(user="{{ inputs.judge }} {{ record.record_id }}"), [("user", "yes a", 2)]),
        (Prompt(user="{{ inputs.judge }}"), [("user", "yes", 0)]),
    ],
    ids=[
        "user",
        "both",
        "system shows it",
        "system alone",
        "nothing shown",
        "named",
        "inputs and record",
        "inputs alone",
    ],
)
def test_images_go_with_the_message_of_the_user(prompt, expected):
    inputs = {"judge": "yes"}
    messages = prompt.render({"record": PICTURED.view(), "inputs": inputs})
    assert [(m.role, m.content, len(m.images)) for m in messages] == expected
    assert BoundPrompt(prompt, {}).render(PICTURED.view(), inputs) == messages


def test_a_bound_prompt_keeps_no_images_of_the_record_before():
    bound = BoundPrompt(Prompt(user="Is it calm?"), {})
    assert bound.render(PICTURED.view())[0].images == (TEAL, RED)
    assert bound.render(Record(content="x").view())[0].images == ()


@pytest.mark.parametrize(
    "template",
    [
        "{{ record.images }}",
        "{{ record.images[0] }}",
        "{{ record.images[0].data }}",
        "{{ record.images[0].data_url() }}",
        "{{ record.images[0].as_body() }}",
        "{{ record.images[0].__class__ }}",
        "{% for image in record.images %}{{ image.model_dump() }}{% endfor %}",
    ],
)
def test_no_template_can_turn_an_image_into_text(template):
    with pytest.raises(SetupError, match=r"an image is not a text|no attribute|access to attribute"):
        Prompt(user=template).render({"record": PICTURED.view()})


def test_names_of_images_belong_to_the_design_where_a_prompt_can_read_them():
    read = PICTURED.view()
    assert Prompt(user="{{ record.images[0].name }}").read_parts(read) == {"images": ["teal.png", "red.png"]}
    assert Prompt(user="{% for i in record.images %}{{ i.name }}{% endfor %}").read_parts(read)["images"]
    assert Prompt(user="{% set r = record %}{{ r.images[0].name }}").read_parts(read)["images"]
    assert Prompt(user="{{ record.content }}").read_parts(read) == {}
    assert Prompt(user="{{ record.images|length }}").read_parts(Record(content="x").view()) == {}


# --- from folders and zips -----------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "post.txt").write_text("A post.")
    (tmp_path / "post.png").write_bytes(drawn())
    (tmp_path / "post.jpg").write_bytes(drawn("JPEG"))
    (tmp_path / "alone.GIF").write_bytes(drawn("GIF"))
    (tmp_path / "sub" / "post.webp").write_bytes(drawn("WEBP"))
    (tmp_path / "words.txt").write_text("Only words.")
    (tmp_path / "notes.log").write_text("no")
    (tmp_path / ".hidden.png").write_bytes(b"no")
    return tmp_path


def zipped(folder, path):
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder).as_posix())
    return path


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_files_of_one_name_are_one_record_and_an_image_alone_is_one_too(folder, tmp_path_factory, form):
    source = folder if form == "folder" else zipped(folder, tmp_path_factory.mktemp("z") / "x.zip")
    corpus = load(source)
    assert [(r.record_id, r.content, [i.name for i in r.images], r.metadata["file"]) for r in corpus] == [
        ("alone", "", ["alone.GIF"], "alone.GIF"),
        ("post", "A post.", ["post.jpg", "post.png"], "post.txt"),
        ("sub/post", "", ["sub/post.webp"], "sub/post.webp"),
        ("words", "Only words.", [], "words.txt"),
    ]
    assert (corpus.provenance["files"], corpus.provenance["images"]) == (6, 4)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("*.txt", {"post": 0, "words": 0}), ("*.png", {"post": 1}), ("*.log", {"notes": 0}), ("sub/*", {"sub/post": 1})],
)
def test_a_pattern_chooses_texts_or_images(folder, pattern, expected):
    assert {record.record_id: len(record.images) for record in load(folder, pattern=pattern)} == expected


def test_an_image_without_an_ending_is_known_by_its_bytes(tmp_path):
    (tmp_path / "scan").write_bytes(drawn())
    assert load(tmp_path, pattern="*")[0].images[0].mime == "image/png"


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_every_broken_image_of_a_folder_is_named_at_once(tmp_path, form):
    inside = tmp_path / "study"
    inside.mkdir()
    (inside / "cut.png").write_bytes(drawn()[:60])
    (inside / "good.png").write_bytes(drawn())
    (inside / "words.jpg").write_text("version https://example.org")
    with pytest.raises(SetupError) as raised:
        load(inside if form == "folder" else zipped(inside, tmp_path / "x.zip"))
    assert [problem[:25] for problem in raised.value.problems] == [
        "`cut.png` cannot be shown",
        "`words.jpg` is not a PNG,",
    ]


def test_a_folder_with_neither_texts_nor_images_says_so(tmp_path):
    (tmp_path / "notes.log").write_text("x")
    with pytest.raises(SetupError, match=r"contains no document and no image; it has 1 .log; pattern="):
        load(tmp_path)


def test_the_same_folder_gives_the_same_corpus_and_one_pixel_another(folder):
    before = load(folder).hash
    assert load(folder).hash == before
    (folder / "post.png").write_bytes(drawn(colour="red"))
    assert load(folder).hash != before


# --- from tables ---------------------------------------------------------------------------------


@pytest.fixture
def table(tmp_path):
    (tmp_path / "pics").mkdir()
    for name, colour in {"a": "red", "b": "green", "c": "blue"}.items():
        (tmp_path / "pics" / f"{name}.png").write_bytes(drawn(colour=colour))
    return tmp_path


ROWS = [
    {"id": "1", "text": "One.", "pics": "pics/a.png; pics/b.png"},
    {"id": "2", "text": "", "pics": "pics\\c.png"},
    {"id": "3", "text": "Three.", "pics": ""},
]
SEVERAL = [{**row, "pics": [part for part in row["pics"].split("; ") if part]} for row in ROWS]


def as_csv(path):
    pd.DataFrame(ROWS).to_csv(path, index=False)


def as_xlsx(path):
    pd.DataFrame(ROWS).to_excel(path, index=False)


def as_parquet(path):
    import duckdb

    frame = pd.DataFrame(SEVERAL)
    duckdb.from_df(frame).write_parquet(str(path))


FORMS = {
    "x.csv": as_csv,
    "x.xlsx": as_xlsx,
    "x.parquet": as_parquet,
    "x.json": lambda path: path.write_text(json.dumps(SEVERAL)),
    "x.jsonl": lambda path: path.write_text("\n".join(json.dumps(row) for row in SEVERAL)),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_column_names_images_as_seen_from_the_folder_of_the_table(table, monkeypatch, name):
    FORMS[name](table / name)
    monkeypatch.chdir("/")
    corpus = load(table / name, content="text", record_id="id", images="pics")
    assert [[i.name for i in record.images] for record in corpus] == [["a.png", "b.png"], ["c.png"], []]
    assert [record.content for record in corpus] == ["One.", "", "Three."]
    assert [record.metadata for record in corpus] == [{}] * 3
    assert corpus.provenance["mapping"]["images"] == "pics"


@pytest.mark.parametrize("make", [pd.DataFrame, list], ids=["dataframe", "list"])
def test_of_a_dataframe_or_a_list_paths_start_from_the_current_folder(table, monkeypatch, make):
    monkeypatch.chdir(table)
    corpus = load(make(ROWS), content="text", record_id="id", images="pics")
    assert [len(record.images) for record in corpus] == [2, 1, 0]


def test_paths_may_be_absolute_and_nested_in_an_object(table):
    rows = [{"text": "One.", "post": {"pic": str(table / "pics" / "a.png"), "lang": "en"}}]
    record = load(rows, content="text", images="post.pic")[0]
    assert (record.images[0].name, record.metadata) == ("a.png", {"post": {"lang": "en"}})


def test_images_within_a_table_are_taken_as_they_are(tmp_path):
    frame = pd.DataFrame({"text": ["One.", "Two."], "pic": [drawn(), None]})
    assert [r.images for r in load(frame, content="text", images="pic")] == [(Image.from_bytes(drawn()),), ()]
    assert load([{"text": "One.", "pic": [TEAL]}], content="text", images="pic")[0].images == (TEAL,)


def test_a_table_of_images_needs_no_text_and_equal_rows_are_rejected(table):
    rows = [{"pic": "pics/a.png"}, {"pic": ""}, {"pic": "pics/a.png"}]
    (table / "x.json").write_text(json.dumps(rows))
    corpus = load(table / "x.json", images="pic")
    assert len(corpus) == 1
    assert corpus.rejected.reason.tolist() == [
        "no image in `pic`",
        "the same image is in line 1; name a column as `record_id` to keep both",
    ]


def test_a_row_with_neither_text_nor_image_is_rejected_for_both():
    corpus = load([{"t": "", "pic": None}, {"t": "One.", "pic": None}], content="t", images="pic")
    assert corpus.rejected.reason.tolist() == ["no text in `t`, no image in `pic`"]


def test_every_missing_or_broken_image_is_named_with_its_line_at_once(table):
    (table / "pics" / "broken.png").write_bytes(drawn()[:60])
    cells = ["pics/a.png", "pics/none.png;pics/nil.png", "pics/broken.png", "pics"]
    (table / "x.csv").write_text("text,pics\n" + "".join(f"Text {i}.,{cell}\n" for i, cell in enumerate(cells)))
    with pytest.raises(SetupError) as raised:
        load(table / "x.csv", content="text", images="pics")
    found = raised.value.problems
    assert len(found) == 4
    assert found[0] == f"line 3, `pics`: there is no image `pics/none.png` in the folder `{table.name}`."
    assert found[1].startswith("line 3, `pics`: there is no image `pics/nil.png`")
    assert found[2].startswith("line 4, `pics`: `broken.png` cannot be shown")
    assert found[3].startswith("line 5, `pics`: there is no image `pics`")


def test_a_great_many_missing_images_are_counted():
    rows = [{"text": f"Text {i}.", "pic": f"{i}.png"} for i in range(100)]
    with pytest.raises(SetupError) as raised:
        load(rows, content="text", images="pic")
    assert (len(raised.value.problems), raised.value.problems[-1]) == (21, "... and 80 more like these.")


@pytest.mark.parametrize(
    "address",
    ["https://example.org/a.png", "HTTP://127.0.0.1:9/a.png", "s3://b/a.png", "data:image/png;base64,AA", "file:/a.png",
     "//host/share/a.png", "\\\\host\\share\\a.png"],
)  # fmt: skip
def test_an_address_is_never_fetched(address):
    with pytest.raises(SetupError, match="record 1, `pic`: .* is an address, and images are never fetched"):
        load([{"text": "One.", "pic": [address]}], content="text", images="pic")


@pytest.mark.parametrize("cell", [7, {"url": "a.png"}, [["a.png"]]])
def test_what_is_not_a_path_is_a_sentence(cell):
    with pytest.raises(SetupError, match="record 1, `pic`: .* is not the path of an image"):
        load([{"text": "One.", "pic": cell}], content="text", images="pic")


def test_the_column_of_images_must_exist_and_be_one():
    with pytest.raises(SetupError, match="there is no column `pix`; there are `id`, `text`, `pics`"):
        load(ROWS, content="text", images="pix")
    with pytest.raises(SetupError, match=r"images=... must be the name of the column"):
        load(ROWS, content="text", images=["pics"])


def test_an_image_that_many_rows_name_is_read_once(table):
    (table / "x.csv").write_text("text,pics\n" + "".join(f"Text {i}.,pics/a.png\n" for i in range(5)))
    corpus = load(table / "x.csv", content="text", images="pics")
    assert len({id(record.images[0]) for record in corpus}) == 1
