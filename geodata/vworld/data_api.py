"""One page of the V-World Data API 2.0 (request GetFeature): how it is asked for, and what its answer says.

``NOT_FOUND`` means that nothing is there and is a success. Numbers come as text. Errors carry a code, and some pass.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from geodata.fetch.courtesy import Caller, FetchError, TryAgain
from geodata.fetch.secret import Secret
from geodata.vworld.tiles import Tile

Feature = dict[str, Any]
_PASSING = frozenset({"SYSTEM_ERROR", "UNKNOWN_ERROR"})
_REMEDIES = {
    "INVALID_KEY": "the key is not registered; check VWORLD_KEY · 등록되지 않은 인증키입니다",
    "INCORRECT_KEY": "the key belongs to another domain; set VWORLD_DOMAIN to the one it was issued for, with its port · 인증키의 도메인이 다릅니다",
    "UNAVAILABLE_KEY": "the key is suspended or has expired; renew it at vworld.kr · 사용할 수 없는 인증키입니다",
    "OVER_REQUEST_LIMIT": "today's limit of calls is used up; run the same command again tomorrow, it goes on where it stopped · 일일 호출 한도를 넘었습니다. 내일 다시 실행하면 이어서 받습니다",
    "INVALID_RANGE": "the API refused a value, such as the size of the box or a layer it does not have · 요청 값이 범위를 벗어났습니다",
}


@dataclass(frozen=True)
class Question:
    """What is asked of the API, for any tile."""

    url: str
    layer: str
    crs: str
    key: Secret
    domain: str = ""
    attribute_filter: str = ""
    page_size: int = 1000
    pages: int = 10


@dataclass(frozen=True)
class Page:
    """One page of features, and how many pages and records there are in all."""

    features: tuple[Feature, ...]
    pages: int
    records: int


class TooFull(Exception):  # noqa: N818 - an answer to act on, not an error
    """A tile holds more than the API hands out; its quarters are asked for instead."""


def tile_features(caller: Caller, question: Question, tile: Tile) -> list[Feature]:
    """Return all features whose box touches ``tile``.

    Raises
    ------
    TooFull
        If there are more pages than the API hands out.
    FetchError
        If the API refuses, or its pages do not add up to the number of records that it tells.
    """
    first = _page(caller, question, tile, 1)
    if first.pages > question.pages:
        raise TooFull
    features = list(first.features)
    for number in range(2, first.pages + 1):
        features += _page(caller, question, tile, number).features
    if len(features) != first.records:
        raise FetchError(
            f"V-World {question.layer}, tile {tile.name}: {len(features):,} features came, {first.records:,} were told; the "
            "layer changed while it was read. Run the same command again · 받는 중에 자료가 바뀌었습니다. 다시 실행하세요"
        )
    return features


def _page(caller: Caller, question: Question, tile: Tile, number: int) -> Page:
    params = {
        "service": "data",
        "version": "2.0",
        "request": "GetFeature",
        "data": question.layer,
        "key": question.key.reveal(),
        "format": "json",
        "errorFormat": "json",
        "crs": question.crs,
        "size": str(question.page_size),
        "page": str(number),
        "geometry": "true",
        "attribute": "true",
        "geomFilter": "BOX({:.3f},{:.3f},{:.3f},{:.3f})".format(*tile.box),
    }
    if question.domain:
        params["domain"] = question.domain
    if question.attribute_filter:
        params["attrFilter"] = question.attribute_filter
    what = f"V-World {question.layer}, tile {tile.name}, page {number}"
    return caller.get(question.url, params, read_page, what=what)


def read_page(answer: str) -> Page:
    """Return the page that an answer holds; an empty one for ``NOT_FOUND``.

    Raises
    ------
    TryAgain
        If the answer is cut off or tells of an error that passes.
    FetchError
        If the API refuses.
    """
    try:
        response = json.loads(answer)["response"]
        status = response["status"]
    except (json.JSONDecodeError, KeyError, TypeError):
        # gateways answer for an overloaded API with a page of HTML
        raise TryAgain(f"the answer is not that of the API: {answer[:80]!r}") from None
    if status == "NOT_FOUND":
        return Page((), 0, 0)
    if status == "OK":
        try:
            features = response["result"]["featureCollection"]["features"]
            return Page(tuple(features), int(response["page"]["total"]), int(response["record"]["total"]))
        except (KeyError, TypeError, ValueError) as error:
            raise FetchError(f"the answer lacks a part: {error!r}") from None
    told = response.get("error") or {}
    code, text = str(told.get("code", status)), str(told.get("text", ""))
    if code in _PASSING:
        raise TryAgain(f"{code} {text}")
    remedy = _REMEDIES.get(code, "see the error codes of the V-World Data API 2.0")
    raise FetchError(f"{code}: {text} → {remedy}", code)
