"""Notices reach a real program and a real server, in one line, and never change how a run ended."""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from geodata.site import NotifySpec
from pipelines.last_run import conclude, read_last_run
from pipelines.notify import event_of, notify, one_line


@pytest.fixture
def server():
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.server.heard.append(json.loads(body))
            self.send_response(500 if self.path.startswith("/broken") else 204)
            self.end_headers()

        def log_message(self, *arguments):
            """Keep quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.heard = []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()


def recorder(tmp_path) -> tuple[str, ...]:
    return (sys.executable, "-c", "import sys; open(sys.argv[1], 'a').write('|'.join(sys.argv[2:]))", str(tmp_path / "told"))  # fmt: skip


def test_a_failure_is_told_in_one_line_and_no_shell_reads_it(tmp_path, server):
    spec = NotifySpec(command=recorder(tmp_path), webhook=f"http://127.0.0.1:{server.server_port}/hook")
    nasty = one_line(["zip\n  damaged; $(touch pwned)", "`id`"])
    assert notify(spec, "failed", "gaon", nasty) == []
    assert (tmp_path / "told").read_text(encoding="utf-8") == "failed|gaon|zip damaged; $(touch pwned) | `id`"
    assert server.heard == [{"event": "failed", "site": "gaon", "reason": "zip damaged; $(touch pwned) | `id`"}]


def test_what_cannot_be_told_is_said_without_the_address(server):
    port = server.server_port
    server_down = NotifySpec(command=("/nowhere/program",), webhook="http://127.0.0.1:9/hook?key=secret")
    lines = notify(server_down, "failed", "gaon", "x")
    assert len(lines) == 2
    assert "/nowhere/program" in lines[0]
    assert not any("secret" in line for line in lines)
    (line,) = notify(NotifySpec(webhook=f"http://127.0.0.1:{port}/broken?key=secret"), "failed", "gaon", "x")
    assert line == "notify.webhook at 127.0.0.1 answered 500"


def test_failures_and_the_first_success_after_one_are_told(tmp_path, small_workplace):
    assert [event_of(False, None), event_of(False, False), event_of(True, False), event_of(True, True), event_of(True, None)] == [
        "failed", "failed", "recovered", None, None,
    ]  # fmt: skip
    site = small_workplace.site.model_copy(update={"notify": NotifySpec(command=recorder(tmp_path))})
    workplace = type(small_workplace)(site, small_workplace.site_file, small_workplace.outputs, small_workplace.state)
    for succeeded, reasons in ((True, []), (False, ["disk full"]), (True, []), (True, [])):
        assert conclude(workplace, {"succeeded": succeeded, "reasons": reasons}) == []
    told = (tmp_path / "told").read_text(encoding="utf-8")
    assert told == "failed|small_town|disk fullrecovered|small_town|the run succeeded after one that failed"
    assert read_last_run(workplace)["succeeded"] is True
