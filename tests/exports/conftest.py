"""Every test of this folder works in an empty folder of its own, offline, and closes its project.

Google's own client talks to a server of this machine here, which follows the published REST API of BigQuery as
far as tables, load jobs and queries go, and records what it was sent.
"""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import duckdb
import pytest
from execution_study import corpus, flow

import buttermilk_nb as bm
from buttermilk_nb._internal.ids import uuid7
from buttermilk_nb.project import session as projects
from buttermilk_nb.schema import Call, RedactionRow, Score, TextRow, Trace, Unit, now


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    projects.close()
    yield
    projects.close()


@pytest.fixture
def project(tmp_path):
    """A project with one run over three records."""
    opened = bm.init("test", path=tmp_path / "project", models=["double/answer"])
    flow().run(corpus())
    return opened


@pytest.fixture
def store(project):
    """Its evidence."""
    return project.store


@pytest.fixture
def hostile(store):
    """The Store, with texts in it that a spreadsheet would run, and a record that must stay here."""
    with store.writing() as con:
        con.execute("update records set content = '=HYPERLINK(\"http://x\")' where record_id = 'r0'")
        con.execute("update records set content = 'line one\nline, \"two\"; three' where record_id = 'r2'")
        con.execute("update records set local_only = true, content = 'SECRET' where record_id = 'r1'")
    return store


def _words_unit(run_id, record_id, secret="ZEBRAFINCH", **given):
    """A unit that says the secret wherever a unit can."""
    trace_id, design = uuid7(), f"d1-{given.get('design', record_id)}"
    request = TextRow.of("request", given.get("request", f"ask {secret} {record_id}"))
    answer = TextRow.of("response", given.get("response", f"answer {secret} {record_id}"))
    same = {"trace_id": trace_id, "run_id": run_id}
    cell = {**same, "design_id": design, "record_id": record_id, "record_hash": f"r1-{record_id}", "replicate": 0}
    trace = Trace(
        **cell, step="free", agent="agent", role="agent", model="m/x", criteria_set=None, criteria_hash=None,
        prompt_hash=None, params="{}", status="error", output=f"out {secret}", error_message=f"bad {secret}",
        started_at=now(), duration_s=0.1,
    )  # fmt: skip
    call = Call(
        **same, call_id=uuid7(), model_requested="m/x", cache_key=given.get("key", f"k1-{record_id}"), cached=False,
        asked_at=now(), params_sent="{}", params_dropped="{}", request_hash=request.text_hash,
        response_hash=answer.text_hash, status="ok", error_message=f"failed {secret}", provider="far", remote=True,
    )  # fmt: skip
    score = Score(
        **cell, judge="free", criteria_set="c", criteria_hash="c1", criterion="q", model="m/x", value=1.0,
        category="yes", conclusion=f"so {secret}", reasons=[f"why {secret}"], status="ok",
    )  # fmt: skip
    redacted = RedactionRow(request_hash=request.text_hash, placeholder="[NAME]", original=secret)
    return Unit(trace=trace, calls=(call,), scores=(score,), texts=(request, answer), redacted=(redacted,))


@pytest.fixture
def words_unit():
    """Makes such a unit."""
    return _words_unit


class BigQueryServer:
    """What the tests see of the server: tables, load jobs, requests.

    Parameters
    ----------
    folder
        Where uploads are kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.requests: list[tuple[str, str]] = []
        self.datasets: dict[str, dict] = {}
        self.tables: dict[str, dict] = {}
        self.jobs: dict[str, dict] = {}
        self.uploads: dict[str, dict] = {}
        self.answers: dict[str, tuple[list[dict], list[dict]]] = {}
        self.queries: list[dict] = []
        self.refusal: tuple[int, str] | None = None
        handler = type("Handler", (_Handler,), {"server_state": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def rows(self, table: str) -> list[tuple]:
        """What was loaded into a table, read from the file that was uploaded."""
        with duckdb.connect() as con:
            con.execute("set TimeZone = 'UTC'")
            return con.execute(
                f"select columns(*)::varchar from read_parquet('{self.tables[table]['file']}')"
            ).fetchall()

    def load(self, config: dict, data: bytes) -> dict:
        """A finished load job."""
        load = config["configuration"]["load"]
        place = ".".join(load["destinationTable"][key] for key in ("projectId", "datasetId", "tableId"))
        file = self.folder / f"{place}.parquet"
        file.write_bytes(data)
        with duckdb.connect() as con:
            count = con.execute("select count(*) from read_parquet(?)", [str(file)]).fetchone()[0]
        self.tables[place] = {"load": load, "file": file}
        job = {
            **config,
            "status": {"state": "DONE"},
            "statistics": {"load": {"outputRows": str(count), "inputFiles": "1"}},
        }
        self.jobs[config["jobReference"]["jobId"]] = job
        return job


class _Handler(BaseHTTPRequestHandler):
    server_state: BigQueryServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _answer(self, body: dict, status: int = 200, **headers: str) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _error(self, status: int, message: str) -> None:
        self._answer({"error": {"code": status, "message": message, "errors": [{"reason": "x"}]}}, status)

    def _seen(self) -> str:
        path = self.path.partition("?")[0]
        self.server_state.requests.append((self.command, path))
        return path

    def do_GET(self):
        path, state = self._seen(), self.server_state
        if state.refusal:
            return self._error(*state.refusal)
        if found := re.fullmatch(r"/bigquery/v2/projects/([^/]+)/datasets/([^/]+)", path):
            place = f"{found[1]}.{found[2]}"
            return self._answer(state.datasets[place]) if place in state.datasets else self._error(404, "Not found")
        if found := re.fullmatch(r"/bigquery/v2/projects/([^/]+)/datasets/([^/]+)/tables/([^/]+)(/data)?", path):
            place = f"{found[1]}.{found[2]}.{found[3]}"
            reference = {"projectId": found[1], "datasetId": found[2], "tableId": found[3]}
            fields, rows = state.answers.get(place, ([], []))
            if place not in state.answers and place not in state.tables:
                return self._error(404, f"Not found: Table {place}")
            if found[4]:
                return self._answer({"totalRows": str(len(rows)), "rows": rows})
            return self._answer({"tableReference": reference, "schema": {"fields": fields}, "numRows": len(rows)})
        if found := re.fullmatch(r"/bigquery/v2/projects/[^/]+/jobs/([^/]+)", path):
            return self._answer(state.jobs[found[1]])
        if found := re.fullmatch(r"/bigquery/v2/projects/[^/]+/queries/([^/]+)", path):
            fields, rows = state.answers["query"]
            job = state.jobs[found[1]]
            body = {"jobComplete": True, "totalRows": str(len(rows)), "schema": {"fields": fields}, "rows": rows}
            return self._answer({**body, "jobReference": job["jobReference"]})
        return self._error(404, f"no such path: {path}")

    def do_POST(self):
        path, state, data = self._seen(), self.server_state, self._body()
        if state.refusal:
            return self._error(*state.refusal)
        if re.fullmatch(r"/upload/bigquery/v2/projects/[^/]+/jobs", path):
            session = f"{state.url}/session/{len(state.uploads)}"
            state.uploads[f"/session/{len(state.uploads)}"] = {"config": json.loads(data), "data": b""}
            return self._answer({}, Location=session)
        body = json.loads(data)
        if found := re.fullmatch(r"/bigquery/v2/projects/([^/]+)/datasets", path):
            state.datasets[f"{found[1]}.{body['datasetReference']['datasetId']}"] = body
            return self._answer(body)
        if found := re.fullmatch(r"/bigquery/v2/projects/([^/]+)/jobs", path):
            state.queries.append(body["configuration"]["query"])
            job = {**body, "status": {"state": "DONE"}, "statistics": {"query": {"statementType": "SELECT"}}}
            job["configuration"]["query"]["destinationTable"] = {"projectId": "p", "datasetId": "_d", "tableId": "_t"}
            state.jobs[body["jobReference"]["jobId"]] = job
            return self._answer(job)
        return self._error(404, f"no such path: {path}")

    def do_PUT(self):
        path, state, data = self._seen(), self.server_state, self._body()
        upload = state.uploads[path]
        upload["data"] += data
        return self._answer(state.load(upload["config"], upload["data"]))


@pytest.fixture
def bigquery_server(tmp_path):
    """The server."""
    folder = tmp_path / "uploads"
    folder.mkdir()
    server = BigQueryServer(folder)
    yield server
    server.close()


@pytest.fixture
def client(bigquery_server):
    """Google's own client, which knows no other address."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import bigquery

    made = bigquery.Client(
        project="our-project",
        credentials=AnonymousCredentials(),
        client_options={"api_endpoint": bigquery_server.url},
    )
    yield made
    made.close()
