"""Importing, offline models, replays and everything that only reads: not one attempt to reach a network.

Python tells an audit hook of every connection, datagram and look-up of a name before it makes it: the hook notes and
forbids them. asyncio's own pair of sockets is none of these.
"""

from __future__ import annotations

import ast

import pytest
import yaml
from support.chat_server import messages_text

import buttermilk_nb as bm
from buttermilk_nb.project import session

pytestmark = pytest.mark.stress

N = 20
BLOCKED = """
import sys
ATTEMPTS = []
WATCHED = {
    "socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethostbyname",
    "socket.gethostbyaddr", "socket.getnameinfo", "urllib.Request", "http.client.connect", "ftplib.connect",
}

def forbid(event, details):
    if event in WATCHED:
        ATTEMPTS.append(f"{event} {details!r:.200}")
        raise OSError("this test forbids the network")

sys.addaudithook(forbid)
"""
STUDY = f"""
import buttermilk_nb as bm
records = [bm.Record(record_id=f"r{{i:02}}", content=f"This is text {{i:02}}.") for i in range({N})]
corpus = bm.Corpus(records)
flow = bm.Flow("tone", [bm.Judge("judge", criteria=bm.Criteria("calm", "Is it calm?", flag="no"))])
"""
ASKED = f"{STUDY}\nproject = bm.init('study', path=sys.argv[1])\n"
WORK = {
    "import of every module": """
import importlib, pkgutil
import buttermilk_nb
for module in pkgutil.walk_packages(buttermilk_nb.__path__, "buttermilk_nb."):
    importlib.import_module(module.name)
for name in buttermilk_nb.__all__:
    getattr(buttermilk_nb, name)
""",
    "offline models": f"""
{STUDY}
bm.init("offline", path=sys.argv[1] + "-offline")
cues = bm.Criteria("calm", "Is it calm?", flag="no", cues={{"no": ["vermin"]}})
run = bm.Flow("tone", [bm.Judge("judge", criteria=cues)]).run(corpus)
assert run.counts == {{"ok": 2 * len(corpus)}}
""",
    "a replay from the cache alone": f"""{ASKED}
run = flow.run(corpus, cache="only")
assert (run.counts, project.client.sent) == ({{"ok": len(corpus)}}, 0)
""",
    "a replay as usual": f"""{ASKED}
run = flow.run(corpus)
assert (run.counts, project.client.sent) == ({{"ok": len(corpus)}}, 0)
""",
    "check and estimate": f"""{ASKED}
flow.check(corpus)
repr(flow.estimate(corpus))
""",
    "frames, views and SQL": f"""{ASKED}
run = flow.run(corpus, cache="only")
for frame in (run.scores(), run.judgements(), run.traces(), run.calls(), run.models()):
    assert len(frame)
run.errors(), run.explore(), repr(run), run._repr_html_(), project.summary(), project._repr_html_()
assert bm.sql("select count(*) as n from latest_scores").n.item() == len(corpus)
project.cache.stats(), project.cache.find(model="hosted_vllm/toy")
""",
    "exports and verification": f"""{ASKED}
for kind in ("csv", "jsonl", "parquet", "xlsx"):
    assert project.evidence.export(sys.argv[1] + "-" + kind, format=kind)
assert project.evidence.verify().ok.all()
""",
}


@pytest.fixture
def blocked(start_script):
    """Do something in a process that may not reach any network; returns what it tried to reach."""

    def run(work, folder):
        script = f"{BLOCKED}\n{work}\nprint(ATTEMPTS)"
        out, problems = start_script(script, folder).communicate(timeout=180)
        assert out, problems
        return ast.literal_eval(out.splitlines()[-1])

    return run


@pytest.fixture
def answered(tmp_path, server):
    """A project whose model was asked over HTTP, and whose server is there still."""
    folder = tmp_path / "study"
    folder.mkdir()
    toy = {"model": "hosted_vllm/toy", "api_base": server.base}
    settings = {"name": "study", "sets": {"judges": ["toy"]}, "models": {"toy": toy}}
    (folder / "buttermilk.yaml").write_text(yaml.safe_dump(settings))
    study = {}
    exec(STUDY, study)
    bm.init("study", path=folder)
    assert study["flow"].run(study["corpus"]).counts == {"ok": N}
    session.close()
    assert len({messages_text(body) for body in server.received}) == N
    return folder


def test_an_attempt_would_be_seen(blocked, tmp_path):
    tried = """
import asyncio, socket, urllib.request
for attempt in (
    lambda: socket.create_connection(("127.0.0.1", 9)),
    lambda: socket.socket().connect_ex(("127.0.0.1", 9)),
    lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 9)),
    lambda: urllib.request.urlopen("http://127.0.0.1:9/"),
    lambda: asyncio.run(asyncio.open_connection("127.0.0.1", 9)),
):
    try:
        attempt()
    except OSError:
        continue
    raise AssertionError("it was not seen")
"""
    assert len(blocked(tried, tmp_path)) == 5


def test_what_asks_over_http_is_stopped_by_the_same_means(blocked, answered, server):
    """So that the replays below can fail."""
    before = len(server.received)
    asked = f"""{ASKED}
try:
    flow.run(corpus.head(1), cache='refresh')
except bm.SetupError as error:
    assert "nothing listens" in str(error), error
else:
    raise AssertionError("it was not stopped")
"""
    assert any(str(server.port) in attempt for attempt in blocked(asked, answered))
    assert len(server.received) == before


def test_nothing_that_needs_no_network_tries_to_reach_one(blocked, answered, server, print_figures):
    """All in one process, one after the other: an attempt is noted with the work that made it."""
    before = len(server.received)
    in_turn = f"""
from buttermilk_nb.project import session
work, done = {WORK!r}, []
for name, code in work.items():
    first = len(ATTEMPTS)
    exec(code, {{"sys": sys}})
    session.close()
    ATTEMPTS[first:] = [f"{{name}}: {{attempt}}" for attempt in ATTEMPTS[first:]]
    done.append(name)
assert done == list(work)
"""
    assert blocked(in_turn, answered) == []
    assert len(server.received) == before
    print_figures(f"sockets forbidden: 0 attempts by {', '.join(WORK)}")
