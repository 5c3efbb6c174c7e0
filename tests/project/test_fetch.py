"""Web pages as records, from a real server on loopback: what is taken, what is refused, and what needs no network."""

from __future__ import annotations

import hashlib

import pytest
from aiohttp import web
from support.loopback_server import LoopbackServer

import buttermilk_nb as bm

SENTENCES = [
    "The harbour was closed on Monday, and nobody said why, although the guard knew about the boats and the tide.",
    "By noon a crowd had gathered at the gate, and the shops along the quay had put their shutters down.",
    "An officer read a short notice, which asked people to go home and to wait for news in the evening.",
]
PAGE = f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Harbour closed | The Bell</title>
<meta property="og:title" content="Harbour closed"><meta name="author" content="Ana Orr">
<meta property="article:published_time" content="2024-05-01T08:00:00Z"></head>
<body><nav><a href="/">Home</a> <a href="/sport">Sport</a></nav>
<article><h1>Harbour closed</h1>{"".join(f"<p>{sentence}</p>" for sentence in SENTENCES)}</article>
<footer>All rights reserved. <a href="/cookies">Cookies</a></footer></body></html>"""


class Site(LoopbackServer):
    """A small site; counts what is asked."""

    def __init__(self, robots: str | int = "User-agent: *\nDisallow: /private/\n") -> None:
        super().__init__()
        self.robots = robots
        self.asked: list[str] = []
        self.agents: set[str] = set()

    def routes(self):
        return [web.get("/{path:.*}", self._serve_page)]

    async def _serve_page(self, request: web.Request) -> web.Response:
        path = request.path
        self.asked.append(path)
        self.agents.add(request.headers["User-Agent"])
        if path == "/robots.txt":
            if isinstance(self.robots, int):
                return web.Response(status=self.robots)
            return web.Response(text=self.robots)
        if path in ("/article", "/private/article"):
            return web.Response(text=PAGE, content_type="text/html")
        if path == "/latin":
            body = PAGE.replace("on Monday", "für Aña").encode("latin-1")
            return web.Response(body=body, headers={"Content-Type": "text/html; charset=iso-8859-1"})
        if path == "/plain":
            return web.Response(body="Ein Fest für alle.".encode("cp1252"), headers={"Content-Type": "text/plain"})
        if path == "/old":
            raise web.HTTPMovedPermanently("/article")
        if path == "/loop":
            raise web.HTTPFound("/loop")
        if path == "/elsewhere":
            raise web.HTTPFound("ftp://example.org/x")
        if path == "/large":
            return web.Response(text="x" * 2_000_000, content_type="text/html")
        if path == "/paper":
            return web.Response(body=b"%PDF-1.7", content_type="application/pdf")
        if path == "/empty":
            return web.Response(text="<html><body><div id=app></div></body></html>", content_type="text/html")
        raise web.HTTPNotFound


@pytest.fixture
def site():
    with Site() as server:
        yield server


def test_a_page_is_a_record_with_its_main_text_and_facts(project, site):
    record = bm.fetch(f"{site.root}/article")
    assert [sentence for sentence in SENTENCES if sentence in record.content] == SENTENCES
    assert "Cookies" not in record.content
    assert "Sport" not in record.content
    assert (record.record_id, record.uri) == (f"{site.root}/article", f"{site.root}/article")
    facts = record.metadata
    assert (facts["title"], facts["author"], facts["published"]) == ("Harbour closed", "Ana Orr", "2024-05-01")
    assert facts["page_sha256"] == hashlib.sha256(PAGE.encode()).hexdigest()
    assert site.agents == {f"buttermilk_nb/{bm.__version__}"}
    assert site.asked == ["/robots.txt", "/article"]


def test_a_second_call_and_another_day_need_no_network(project, site, tmp_path):
    first = bm.fetch(f"{site.root}/article")
    site.stop()
    assert bm.fetch(f"{site.root}/article") == first
    again = bm.init(project.name, path=project.folder)
    assert bm.fetch(f"{site.root}/article", project=again) == first


def test_the_page_itself_is_kept_and_only_its_user_can_read_it(project, site):
    record = bm.fetch(f"{site.root}/article")
    (page,) = project.pages.folder.glob("*.html")
    assert hashlib.sha256(page.read_bytes()).hexdigest() == record.metadata["page_sha256"]
    assert page.stat().st_mode & 0o077 == 0


def test_again_fetches_it_anew(project, site):
    bm.fetch(f"{site.root}/article")
    bm.fetch(f"{site.root}/article", again=True)
    assert site.asked.count("/article") == 2


def test_several_addresses_are_a_corpus_that_can_be_judged(project, site):
    corpus = bm.fetch([f"{site.root}/article", f"{site.root}/plain"])
    assert [record.content for record in corpus][1] == "Ein Fest für alle."
    calm = bm.Criteria("calm", "Is it calm?", flag="no", cues={"no": ["crowd"], "yes": []})
    scores = bm.Judge("judge", criteria=calm, models="offline/strict")(corpus)
    assert scores.category.tolist() == ["no", "yes"]


def test_a_redirect_is_followed_and_both_addresses_are_kept(project, site):
    record = bm.fetch(f"{site.root}/old")
    assert (record.record_id, record.uri) == (f"{site.root}/old", f"{site.root}/article")


def test_letters_are_those_that_the_server_names(project, site):
    assert "The harbour was closed für Aña" in bm.fetch(f"{site.root}/latin").content


def test_a_site_that_does_not_allow_it_is_not_read(project, site):
    with pytest.raises(bm.SetupError, match=r"does not allow programs to read .*robots=False"):
        bm.fetch(f"{site.root}/private/article")
    assert site.asked == ["/robots.txt"]
    assert bm.fetch(f"{site.root}/private/article", robots=False).metadata["title"] == "Harbour closed"


@pytest.mark.parametrize(("robots", "is_allowed"), [(404, True), (410, True), (403, False), (500, False)])
def test_a_site_without_rules_allows_everything_and_one_that_hides_them_nothing(project, robots, is_allowed):
    with Site(robots) as site:
        if is_allowed:
            assert bm.fetch(f"{site.root}/article").content
        else:
            with pytest.raises(bm.SetupError, match="does not allow"):
                bm.fetch(f"{site.root}/article")


def test_rules_for_this_program_alone_are_kept(project):
    with Site("User-agent: buttermilk_nb\nDisallow: /\n") as site, pytest.raises(bm.SetupError, match="robots"):
        bm.fetch(f"{site.root}/article")


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/large", "more than 1,000,000 bytes; raise limit_bytes"),
        ("/paper", "no page of text but application/pdf; download it, and read it with bm.load"),
        ("/empty", "no main text that a program can find"),
        ("/missing", "HTTP 404 Not Found"),
        ("/loop", "from address to address without an end"),
        ("/elsewhere", "no address of a web page"),
    ],
)
def test_what_is_no_page_of_text_is_one_sentence_and_is_not_kept(project, site, path, sentence):
    with pytest.raises(bm.SetupError, match=sentence):
        bm.fetch(f"{site.root}{path}", limit_bytes=1_000_000)
    assert list(project.pages.folder.glob("*")) == []


@pytest.mark.parametrize("address", ["file:///etc/passwd", "example.org", "", "https://"])
def test_only_addresses_of_the_web_are_taken(project, address):
    with pytest.raises(bm.SetupError, match="no address of a web page"):
        bm.fetch(address)


def test_a_host_that_is_not_there_is_one_sentence(project, site):
    site.stop()
    with pytest.raises(bm.SetupError, match="could not be fetched"):
        bm.fetch(f"{site.root}/article")


def test_a_page_that_is_forgotten_is_gone(project, site):
    record = bm.fetch(f"{site.root}/article")
    bm.Agent("gist", prompt="{{ record.content }}", models="offline/strict")(record)
    result = project.evidence.forget(record_id=record.record_id)
    assert list(project.pages.folder.glob("*")) == []
    assert not any("pages" in copy for copy in result.remaining)
