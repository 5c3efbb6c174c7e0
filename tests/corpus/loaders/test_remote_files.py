"""Files that are elsewhere, read as if they were here."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fsspec
import pytest

import buttermilk_nb as bm
from buttermilk_nb.corpus.loaders.remote_files import display_address, download, is_remote

CSV = "id,body\n007,One.\n008,Two.\n"


@pytest.fixture
def bucket():
    """An empty bucket of the file system in memory."""
    system = fsspec.filesystem("memory")
    yield "memory://bucket"
    if system.exists("/bucket"):
        system.rm("/bucket", recursive=True)


def put(url, data):
    with fsspec.open(url, "wb") as handle:
        handle.write(data if isinstance(data, bytes) else data.encode())


class Pages(BaseHTTPRequestHandler):
    """`/articles.csv`, and nothing else."""

    seen: list

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        self.seen.append(self.path)
        found = self.path.partition("?")[0] == "/data/articles.csv"
        data = CSV.encode() if found else b"no"
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)


@pytest.fixture
def web():
    """A web server of this machine, and what was asked of it."""
    handler = type("Handler", (Pages,), {"seen": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", handler.seen
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_file_elsewhere_is_read_under_its_own_name(bucket):
    put(f"{bucket}/press/articles.csv", CSV)
    with download(f"{bucket}/press/articles.csv") as path:
        corpus = bm.load(path, content="body", record_id="id")
        assert corpus.provenance["file"] == "articles.csv"
    assert [record.record_id for record in corpus] == ["007", "008"]
    assert not path.exists()


def test_a_file_of_this_machine_is_read_where_it_lies(tmp_path):
    (tmp_path / "a.csv").write_text(CSV)
    with download(f"file://{tmp_path}/a.csv") as path:
        assert path == tmp_path / "a.csv"
    assert path.exists()


def test_a_folder_elsewhere_is_read_with_all_that_is_in_it(bucket):
    put(f"{bucket}/speeches/1789.txt", "One.")
    put(f"{bucket}/speeches/early/1793.txt", "Two.")
    with download(f"{bucket}/speeches") as path:
        corpus = bm.load(path)
    assert {record.record_id: record.content for record in corpus} == {"1789": "One.", "early/1793": "Two."}


def test_a_web_page_is_fetched_because_it_was_named(web):
    address, seen = web
    with download(f"{address}/data/articles.csv?token=abc") as path:
        assert (path.name, path.read_text()) == ("articles.csv", CSV)
    assert set(seen) == {"/data/articles.csv?token=abc"}


def test_a_page_that_there_is_not_is_one_sentence_without_its_token(web):
    address, _ = web
    with pytest.raises(bm.SetupError) as caught, download(f"{address}/nothing.csv?token=abc"):
        pass
    assert "/nothing.csv" in str(caught.value)
    assert "abc" not in str(caught.value)


def test_a_server_that_is_not_there_is_one_sentence():
    with pytest.raises(bm.SetupError, match=r"http://127.0.0.1:9/x.csv"), download("http://127.0.0.1:9/x.csv"):
        pass


def test_a_file_that_there_is_not_is_named(bucket):
    with (
        pytest.raises(bm.SetupError, match=r"there is nothing at `memory://bucket/no.csv`"),
        download(f"{bucket}/no.csv"),
    ):
        pass


def test_more_than_the_limit_is_not_fetched(bucket):
    put(f"{bucket}/large.csv", "x" * 2000)
    with (
        pytest.raises(bm.SetupError, match=r"`memory://bucket/large.csv` contains more than 1,000 bytes"),
        download(f"{bucket}/large.csv", limit_bytes=1000),
    ):
        pass


def test_the_limit_counts_for_a_folder_as_a_whole(bucket):
    for number in range(3):
        put(f"{bucket}/many/{number}.txt", "x" * 400)
    with pytest.raises(bm.SetupError, match="more than"), download(f"{bucket}/many", limit_bytes=1000):
        pass


def test_an_error_of_the_users_own_is_not_taken_for_one_of_the_file(bucket):
    put(f"{bucket}/a.csv", CSV)
    with pytest.raises(ZeroDivisionError), download(f"{bucket}/a.csv"):
        1 / 0  # noqa: B018


@pytest.mark.parametrize(("url", "command"), [("gs://b/a.csv", "[gs]"), ("s3://b/a.csv", "[s3]")])
def test_a_missing_package_is_named_with_the_command(url, command):
    try:
        fsspec.get_filesystem_class(url[:2])
    except ImportError:
        with pytest.raises(bm.SetupError) as caught, download(url):
            pass
        assert f"`pip install buttermilk-nb{command}`" in str(caught.value)
    else:
        pytest.skip(f"the package for {url[:5]} is installed here")


@pytest.mark.parametrize("name", ["../../evil.txt", "a/../../evil.txt"])
def test_a_file_is_never_written_outside_its_folder(bucket, name, monkeypatch):
    put(f"{bucket}/folder/a.txt", "One.")
    with monkeypatch.context() as changed:
        changed.setattr(type(fsspec.filesystem("memory")), "find", lambda *_, **__: [f"/bucket/folder/{name}"])
        with pytest.raises(bm.SetupError, match="would be written outside its folder"), download(f"{bucket}/folder"):
            pass


def test_a_name_that_no_file_may_have_is_made_fit(bucket):
    put(f"{bucket}/a:b?.csv", CSV)
    with download(f"{bucket}/a:b?.csv") as path:
        assert isinstance(path, Path)
        assert not set('<>:"|?*') & set(path.name)


@pytest.mark.parametrize(
    "source", ["articles.csv", "C:/texts/a.csv", "C:\\texts", "../a.csv", "/a", Path("a.csv"), None, 3]
)
def test_paths_are_no_addresses(source):
    assert not is_remote(source)


@pytest.mark.parametrize("source", ["gs://b/a", "https://host/a.csv", "memory://a", "zip://a.csv::s3://b/c.zip"])
def test_addresses_are_known(source):
    assert is_remote(source)


def test_every_part_of_a_chained_address_is_shown_without_its_secrets():
    assert display_address("zip://a.csv::https://me:pw@host/c.zip?sig=s") == "zip://a.csv::https://host/c.zip"
