from __future__ import annotations

import threading
from http.client import HTTPConnection

import pytest

from geodata.errors import InputError
from pipelines.view_command import page_server


@pytest.fixture
def server(tmp_path):
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "index.html").write_text("<p>광명", encoding="utf-8")
    (tmp_path / "secret.txt").write_text("no", encoding="utf-8")
    found = page_server(tmp_path, 0)
    threading.Thread(target=found.serve_forever, daemon=True).start()
    yield found
    found.shutdown()
    found.server_close()


def ask(server, path):
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=120)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read().decode("utf-8")
    connection.close()
    return answer, body


def test_the_page_is_served_to_this_machine_alone(server):
    assert server.server_address[0] == "127.0.0.1"
    answer, body = ask(server, "/")
    assert (answer.status, body) == (200, "<p>광명")
    # after a publish the browser must not show yesterday's town
    assert answer.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("path", ["/secret.txt", "/../secret.txt", "/%2e%2e/secret.txt"])
def test_nothing_beside_the_page_is_served(server, path):
    assert ask(server, path)[0].status == 404


def test_a_release_without_page_and_a_taken_port_are_told_in_both_languages(tmp_path, server):
    with pytest.raises(InputError, match=r"twin run.*웹 페이지가 없습니다"):
        page_server(tmp_path / "none", 0)
    with pytest.raises(InputError, match=r"--port.*다른 포트"):
        page_server(tmp_path, server.server_port)
