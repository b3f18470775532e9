"""The APIs on loopback, behaving as documented: limits, pages, errors, hiccups, and a count of what they were asked."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
import shapely

from geodata.fetch.courtesy import Courtesy

KEY = "0A1B2C3D-4E5F/6071+8293=A4B5C6D7"
DOMAIN = "http://localhost:8081"
EAGER = Courtesy(calls_per_second=2000, attempts=4, first_wait_s=0.001, longest_wait_s=0.01, timeout_s=5)


@dataclass
class Api:
    """State of the server: what it has, what goes wrong, what it was asked."""

    url: str = ""
    features: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    boxes: dict[str, np.ndarray] = field(default_factory=dict)
    registers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    weather: str = ""
    limit: int | None = None
    """Calls that are still allowed today."""
    stumbles: list[str] = field(default_factory=list)
    """What the next calls meet instead of an answer: an HTTP state, ``drop``, ``cut``, ``html``, ``SYSTEM_ERROR``."""
    error: str = ""
    """Code of the error that every call meets."""
    asked: list[dict[str, str]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    def have(self, layer: str, shapes: np.ndarray, properties: list[dict[str, Any]], *, ids: bool = True) -> None:
        self.features[layer] = [
            {
                "type": "Feature",
                "geometry": json.loads(shapely.to_geojson(shape)),
                "properties": record,
                **({"id": f"{layer}.{number}"} if ids else {}),
            }
            for number, (shape, record) in enumerate(zip(shapes, properties, strict=True))
        ]
        self.boxes[layer] = shapely.bounds(shapes)

    def vworld(self, query: dict[str, str]) -> dict[str, Any]:
        def failed(code: str, text: str) -> dict[str, Any]:
            return {"response": {"status": "ERROR", "error": {"level": "1", "code": code, "text": text}}}

        if self.limit is not None:
            if self.limit <= 0:
                return failed("OVER_REQUEST_LIMIT", "일일 제한량을 초과하였습니다.")
            self.limit -= 1
        if self.error:
            return failed(self.error, f"key={query.get('key')} {self.error}")
        if query.get("key") != KEY:
            return failed("INVALID_KEY", f"등록되지 않은 인증키입니다. (key={query.get('key')})")
        if query.get("domain") != DOMAIN:
            return failed("INCORRECT_KEY", "인증키 정보가 올바르지 않습니다.")
        if query["data"] not in self.features or not 1 <= int(query["size"]) <= 1000:
            return failed("INVALID_RANGE", "data 파라미터의 값이 유효한 범위를 넘었습니다.")
        minx, miny, maxx, maxy = map(float, query["geomFilter"].removeprefix("BOX(").removesuffix(")").split(","))
        if (maxx - minx) * (maxy - miny) > 10e6:
            return failed("INVALID_RANGE", "geomFilter 영역이 10㎢를 넘었습니다.")
        boxes = self.boxes[query["data"]]
        hit = (boxes[:, 0] <= maxx) & (boxes[:, 2] >= minx) & (boxes[:, 1] <= maxy) & (boxes[:, 3] >= miny)
        rows = [self.features[query["data"]][i] for i in np.flatnonzero(hit)]
        if "attrFilter" in query:
            name, operator, wanted = query["attrFilter"].split(":")
            assert operator == "like"
            rows = [row for row in rows if wanted in str(row["properties"][name])]
        if not rows:
            return {"response": {"status": "NOT_FOUND"}}
        size, page = int(query["size"]), int(query["page"])
        pages = -(-len(rows) // size)
        if not 1 <= page <= pages:
            return failed("INVALID_RANGE", "page 파라미터의 값이 유효한 범위를 넘었습니다.")
        chosen = rows[(page - 1) * size : page * size]
        return {
            "response": {
                "status": "OK",
                "record": {"total": str(len(rows)), "current": str(len(chosen))},
                "page": {"total": str(pages), "current": str(page), "size": str(size)},
                "result": {"featureCollection": {"type": "FeatureCollection", "features": chosen}},
            }
        }

    def register(self, query: dict[str, str]) -> str:
        if query.get("serviceKey") != KEY:
            return (
                "<OpenAPI_ServiceResponse><cmmMsgHeader><errMsg>SERVICE ERROR</errMsg>"
                "<returnAuthMsg>SERVICE_KEY_IS_NOT_REGISTERED_ERROR</returnAuthMsg>"
                f"<returnReasonCode>30</returnReasonCode></cmmMsgHeader><!-- {query.get('serviceKey')} -->"
                "</OpenAPI_ServiceResponse>"
            )
        rows = self.registers.get(query["sigunguCd"] + query["bjdongCd"], [])
        size, page = int(query["numOfRows"]), int(query["pageNo"])
        chosen = rows[(page - 1) * size : page * size]
        item: Any = chosen[0] if len(chosen) == 1 else chosen
        body = {
            "items": {"item": item} if chosen else "",
            "numOfRows": size,
            "pageNo": page,
            "totalCount": len(rows),
        }
        header = {"resultCode": "00", "resultMsg": "NORMAL SERVICE"}
        return json.dumps({"response": {"header": header, "body": body}}, ensure_ascii=False)


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        api: Api = self.server.api  # type: ignore[attr-defined]
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        api.asked.append(query)
        api.times.append(time.monotonic())
        stumble = api.stumbles.pop(0) if api.stumbles else ""
        if stumble == "drop":
            self.connection.close()
            return
        if stumble.isdigit():
            self._send(int(stumble), b"Bad Gateway")
            return
        if stumble == "html":
            self._send(200, b"<html><body>busy</body></html>")
            return
        if parts.path == "/data":
            found = api.vworld(query)
            if stumble == "SYSTEM_ERROR":
                found = {"response": {"status": "ERROR", "error": {"code": "SYSTEM_ERROR", "text": "시스템 에러"}}}
            body = json.dumps(found, ensure_ascii=False).encode()
        elif parts.path == "/register":
            body = api.register(query).encode()
        else:
            body = api.weather.encode()
        self._send(200, body[: len(body) // 2] if stumble == "cut" else body)

    def _send(self, state: int, body: bytes) -> None:
        self.send_response(state)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Say nothing: the tests look at what is written."""


@pytest.fixture
def api() -> Iterator[Api]:
    with serve() as state:
        yield state


@contextmanager
def serve() -> Iterator[Api]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    state = Api(url=f"http://127.0.0.1:{server.server_port}")
    server.api = state  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield state
    server.shutdown()
    server.server_close()
    thread.join()
