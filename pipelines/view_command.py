"""The command `twin view`: the latest release's web page, served to this machine alone."""

from __future__ import annotations

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from geodata.errors import InputError

LOOPBACK = "127.0.0.1"


class _Quiet(SimpleHTTPRequestHandler):
    """Serves files without a line for each; what it sends is asked for anew after each publish."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def end_headers(self) -> None:
        """Let browsers ask again, so that a new release is seen."""
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()


def page_server(release: Path, port: int) -> ThreadingHTTPServer:
    """Return a server of ``release``'s web page on the loopback; port 0 takes a free one.

    Raises
    ------
    InputError
        If the release has no web page, or the port is taken.
    """
    folder = release / "web"
    if not (folder / "index.html").is_file():
        raise InputError(f"{folder} holds no web page; run: twin run · 웹 페이지가 없습니다. twin run을 실행하세요")
    try:
        return ThreadingHTTPServer((LOOPBACK, port), partial(_Quiet, directory=str(folder)))
    except OSError as error:
        raise InputError(
            f"port {port} cannot be used: {error.strerror}; choose another by --port · 다른 포트를 쓰세요"
        ) from error
