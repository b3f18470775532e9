"""The title part of the building register (건축물대장 표제부) by API, one file of the inbox for each legal dong.

Answers are awkward: ``items`` is an empty text when there is none, ``item`` a record when there is one, and errors of the
gateway come as XML although JSON was asked for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from geodata.fetch.courtesy import Caller, FetchError, TryAgain, fetch_parameters
from geodata.fetch.inbox_file import put
from geodata.fetch.journal import Journal
from geodata.fetch.report import FetchReport
from geodata.fetch.secret import Secret

NAME = "BR_TITLE_INFO"
_OK = "00"
_EMPTY = "03"
"""NODATA_ERROR."""
_PASSING = frozenset({"01", "02", "04", "05", "99"})
"""Errors of the application, the database, the gateway and time-outs."""
_REMEDIES = {
    "20": "apply for the service 15134735 at data.go.kr · 활용신청이 필요합니다",
    "22": "today's limit of calls is used up; run the same command again tomorrow, it goes on where it stopped · 일일 호출 한도를 넘었습니다. 내일 다시 실행하면 이어서 받습니다",
    "30": "the key is not registered; check DATA_GO_KR_KEY · 등록되지 않은 서비스키입니다",
    "31": "the key has expired; renew it at data.go.kr · 사용기간이 끝난 서비스키입니다",
    "32": "this computer's address is not registered for the key · 등록되지 않은 IP입니다",
}
_GATEWAY = re.compile(r"<(returnReasonCode|returnAuthMsg|errMsg)>([^<]*)<")


@dataclass(frozen=True)
class Answer:
    """Records of one page, and how many there are in all."""

    records: tuple[dict[str, Any], ...]
    total: int


def fetch_register(
    caller: Caller,
    key: Secret,
    dongs: Sequence[str],
    inbox: Path,
    today: date,
    *,
    url: str | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> list[FetchReport]:
    """Fetch the records of the legal ``dongs`` (10 digits), page by page, and write one JSON file for each.

    Finished pages are kept in a hidden progress file until the dong is complete.

    Raises
    ------
    FetchError
        If the API refuses or does not answer, or its pages do not add up.
    """
    return [_dong(caller, key, dong, inbox=inbox, today=today, url=url, tell=tell) for dong in dongs]


def _dong(
    caller: Caller, key: Secret, dong: str, *, inbox: Path, today: date, url: str | None, tell: Callable[[str], None]
) -> FetchReport:
    values = fetch_parameters()
    stem, size = f"hub_{NAME}_{dong}", int(values["register_rows"])
    journal = Journal(
        inbox / f".{stem}.progress",
        {"layer": NAME, "dong": dong, "rows": size},
        today=today,
        keep_days=int(values["resume_within_days"]),
    )
    before, page, total = caller.calls, 0, 1
    records: list[dict[str, Any]] = []
    while page * size < total:
        page += 1
        if str(page) not in journal.done:
            params = {
                "serviceKey": key.reveal(),
                "sigunguCd": dong[:5],
                "bjdongCd": dong[5:],
                "numOfRows": str(size),
                "pageNo": str(page),
                "_type": "json",
            }
            what = f"{NAME}, dong {dong}, page {page}"
            answer = caller.get(url or values["register_url"], params, read_answer, what=what)
            journal.add(str(page), {"records": list(answer.records), "total": answer.total})
        found = journal.done[str(page)]
        records += found["records"]
        total = found["total"]
        tell(f"{NAME} {dong}: {len(records):,} / {total:,} records")
    if len(records) != total:
        journal.close()
        raise FetchError(
            f"{NAME}, dong {dong}: {len(records):,} records came, {total:,} were told; the register changed while it was "
            "read. Run the same command again · 받는 중에 자료가 바뀌었습니다. 다시 실행하세요"
        )
    calls = caller.calls - before
    if not records:
        journal.close()
        return FetchReport(f"{NAME} {dong}", None, 0, is_new=False, pieces=page, resumed=journal.resumed, calls=calls)
    text = json.dumps(records, ensure_ascii=False, indent=0, separators=(",", ":")) + "\n"
    path, is_new = put(inbox, stem, ".json", text.encode("utf-8"), today)
    journal.close()
    return FetchReport(
        f"{NAME} {dong}", path, len(records), is_new=is_new, pieces=page, resumed=journal.resumed, calls=calls
    )


def read_answer(text: str) -> Answer:
    """Return the records of an answer of getBrTitleInfo.

    Raises
    ------
    TryAgain
        If the answer is cut off or tells of an error that passes.
    FetchError
        If the API refuses.
    """
    if text.lstrip().startswith("<"):
        told = dict(_GATEWAY.findall(text))
        _judge(told.get("returnReasonCode", ""), told.get("returnAuthMsg") or told.get("errMsg") or text[:80])
        raise TryAgain(f"the answer is not that of the API: {text[:80]!r}")
    try:
        response = json.loads(text)["response"]
        head, body = response["header"], response.get("body") or {}
        code, message = str(head["resultCode"]), str(head.get("resultMsg", ""))
    except (json.JSONDecodeError, KeyError, TypeError):
        raise TryAgain(f"the answer is not that of the API: {text[:80]!r}") from None
    if code == _EMPTY:
        return Answer((), 0)
    if code != _OK:
        _judge(code, message)
    items = body.get("items") or {}
    found = items.get("item", []) if isinstance(items, dict) else []
    records = [found] if isinstance(found, dict) else found
    try:
        return Answer(tuple(records), int(body.get("totalCount", 0)))
    except (TypeError, ValueError) as error:
        raise FetchError(f"the answer lacks a part: {error!r}") from None


def _judge(code: str, message: str) -> None:
    if not code:
        return
    if code.zfill(2) in _PASSING:
        raise TryAgain(f"{code} {message}")
    remedy = _REMEDIES.get(code, "see the error codes of data.go.kr")
    raise FetchError(f"{message} ({code}) → {remedy}", message or code)
