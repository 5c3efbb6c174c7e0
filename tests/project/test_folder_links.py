"""A folder from somebody else writes nothing outside itself, whatever links it contains."""

import pytest

import buttermilk_nb as bm
from buttermilk_nb.project import session

CALM = bm.Criteria("calm", "Is it calm?", flag="no", cues={"no": ["Text"]})


@pytest.fixture
def foreign(tmp_path):
    folder = tmp_path / "foreign"
    folder.mkdir()
    (folder / "buttermilk.yaml").write_text("name: study\n")
    return folder


@pytest.fixture
def outside(tmp_path):
    """The user's own files."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "victim.txt").write_text("my own words")
    return folder


def use(folder):
    project = bm.init("study", path=folder, models=["offline/strict"])
    corpus = bm.Corpus([bm.Record(record_id="r0", content="Text 0.")])
    bm.Flow("f", [bm.Judge("judge", criteria=CALM)]).run(corpus)
    project.evidence.forget(record_id="r0")
    session.close()


FOLDERS = ["cache", "spool", "logs", "exports", "snapshots"]
FILES = ["traces.duckdb", "traces.duckdb.wal", "limits.sqlite", "cache/cache.db", "logs/events.jsonl", "spool/x.jsonl"]


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_that_is_a_link_to_another_place_is_refused(foreign, outside, name):
    (foreign / name).symlink_to(outside)
    with pytest.raises(bm.SetupError, match=rf"`{name}` in .* is a link to .*outside.*Remove the link"):
        use(foreign)
    assert [path.name for path in outside.iterdir()] == ["victim.txt"]


@pytest.mark.parametrize("target", ["victim.txt", "absent.txt"])
@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_a_link_to_another_place_is_refused(foreign, outside, name, target):
    (foreign / name).parent.mkdir(exist_ok=True)
    (foreign / name).symlink_to(outside / target)
    with pytest.raises(bm.SetupError, match=rf"`{name}` in .* is a link to .*{target}"):
        use(foreign)
    assert {path.name: path.read_text() for path in outside.iterdir()} == {"victim.txt": "my own words"}


def test_a_link_where_settings_are_written_is_not_followed(foreign, outside):
    (foreign / ".buttermilk.yaml.new").symlink_to(outside / "victim.txt")
    use(foreign)
    bm.init("study", path=foreign, models=["offline/lenient"])
    bm.allow("openai")
    assert (outside / "victim.txt").read_text() == "my own words"
    assert not (foreign / "buttermilk.yaml").is_symlink()
    assert sorted(path.name for path in foreign.glob("*yaml*")) == [".buttermilk.yaml.new", "buttermilk.yaml"]


@pytest.mark.parametrize("name", ["logs", "traces.duckdb", "spool", "logs/events.jsonl"])
def test_a_link_in_a_circle_is_a_sentence(foreign, name):
    (foreign / name).parent.mkdir(exist_ok=True)
    (foreign / name).symlink_to(foreign / name)
    with pytest.raises(bm.SetupError, match="is a link to"):
        use(foreign)


@pytest.mark.parametrize("name", ["logs/events.jsonl", "traces.duckdb"])
def test_a_folder_in_the_place_of_a_file_is_a_sentence(foreign, name):
    (foreign / name).mkdir(parents=True)
    with pytest.raises(bm.SetupError, match=f"`{name}` in .* is not a file; move it"):
        use(foreign)


@pytest.mark.parametrize("name", FOLDERS)
def test_a_file_in_the_place_of_a_folder_is_a_sentence(foreign, name):
    (foreign / name).write_text("x")
    with pytest.raises(bm.SetupError, match=f"`{name}` in .* is not a folder; move it"):
        use(foreign)


def test_links_inside_the_folder_are_followed(foreign):
    (foreign / "data").mkdir()
    (foreign / "cache").symlink_to("data")
    use(foreign)
    assert (foreign / "data" / "cache.db").is_file()


def test_a_data_folder_with_links_is_checked_too(tmp_path, outside):
    data = tmp_path / "data"
    data.mkdir()
    (data / "cache").symlink_to(outside)
    with pytest.raises(bm.SetupError, match="`cache` in .*data is a link"):
        bm.init("study", path=tmp_path / "study", data_folder=str(data))
