"""A server on loopback that follows the published REST API of BigQuery, and Google's own client for it.

It serves tables, load jobs and queries, and records what it was sent.
"""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import duckdb
import pytest


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
        if match := re.fullmatch(r"/bigquery/v2/projects/([^/]+)/datasets/([^/]+)", path):
            place = f"{match[1]}.{match[2]}"
            return self._answer(state.datasets[place]) if place in state.datasets else self._error(404, "Not found")
        if match := re.fullmatch(r"/bigquery/v2/projects/([^/]+)/datasets/([^/]+)/tables/([^/]+)(/data)?", path):
            place = f"{match[1]}.{match[2]}.{match[3]}"
            reference = {"projectId": match[1], "datasetId": match[2], "tableId": match[3]}
            fields, rows = state.answers.get(place, ([], []))
            if place not in state.answers and place not in state.tables:
                return self._error(404, f"Not found: Table {place}")
            if match[4]:
                return self._answer({"totalRows": str(len(rows)), "rows": rows})
            return self._answer({"tableReference": reference, "schema": {"fields": fields}, "numRows": len(rows)})
        if match := re.fullmatch(r"/bigquery/v2/projects/[^/]+/jobs/([^/]+)", path):
            return self._answer(state.jobs[match[1]])
        if match := re.fullmatch(r"/bigquery/v2/projects/[^/]+/queries/([^/]+)", path):
            fields, rows = state.answers["query"]
            job = state.jobs[match[1]]
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
        if match := re.fullmatch(r"/bigquery/v2/projects/([^/]+)/datasets", path):
            state.datasets[f"{match[1]}.{body['datasetReference']['datasetId']}"] = body
            return self._answer(body)
        if match := re.fullmatch(r"/bigquery/v2/projects/([^/]+)/jobs", path):
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
def bigquery_client(bigquery_server):
    """Google's own client, which knows no other address."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import bigquery

    client = bigquery.Client(
        project="our-project",
        credentials=AnonymousCredentials(),
        client_options={"api_endpoint": bigquery_server.url},
    )
    yield client
    client.close()
