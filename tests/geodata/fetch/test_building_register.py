from __future__ import annotations

import json
import logging
from datetime import date

import pytest

from geodata.fetch.building_register import fetch_register, read_answer
from geodata.fetch.courtesy import Caller, FetchError, TryAgain
from geodata.fetch.secret import Secret
from geodata.inbox import take_inventory
from geodata.table_file import read_table
from tests.geodata.fetch.conftest import EAGER, KEY

TODAY = date(2026, 11, 26)


def records(dong: str, n: int) -> list[dict]:
    return [
        {
            "mgmBldrgstPk": str(10_000_000_000 + i),
            "sigunguCd": dong[:5],
            "bjdongCd": dong[5:],
            "platGbCd": "0",
            "bun": f"{i + 1:04d}",
            "ji": "0000",
            "regstrKindCd": "2",
            "bldNm": " ",
            "roofCd": "10",
            "roofCdNm": "(철근)콘크리트",
            "etcRoof": "평슬래브",
            "heit": 9.5,
            "grndFlrCnt": 3,
            "ugrndFlrCnt": 0,
            "archArea": 100.5,
            "crtnDay": "20261101",
        }
        for i in range(n)
    ]


def fetch(api, inbox, dongs, today=TODAY, key=KEY):
    secret = Secret("DATA_GO_KR_KEY", key, "")
    with Caller([secret], EAGER) as caller:
        return fetch_register(caller, secret, dongs, inbox, today, url=f"{api.url}/register")


def test_a_town_of_three_dongs_is_what_the_reader_reads(api, tmp_path):
    """Many records, a single one (which comes without a list) and none (which comes as an empty text)."""
    api.registers = {"4121010500": records("4121010500", 250), "4121010700": records("4121010700", 1)}
    many, one, none = fetch(api, tmp_path, ["4121010500", "4121010700", "4121010100"])
    assert (many.rows, many.pieces, many.calls) == (250, 3, 3)
    assert (one.rows, none.path) == (1, None)
    (dataset,) = take_inventory(tmp_path).datasets
    assert dataset.product == "BR_TITLE_INFO" and dataset.role == "building_register"
    frame = read_table(tmp_path, dataset).frame
    assert len(frame) == 251
    assert "4121010500100070000" in set(frame["pnu"])
    assert set(frame["roof_other"]) == {"평슬래브"} and set(frame["height_m"].astype(float)) == {9.5}


def test_the_percent_encoded_key_of_the_portal_works_too(api, tmp_path):
    from urllib.parse import quote

    api.registers = {"4121010500": records("4121010500", 3)}
    assert fetch(api, tmp_path, ["4121010500"], key=quote(KEY, safe=""))[0].rows == 3


def test_interrupted_it_goes_on_with_the_page_that_is_missing(api, tmp_path):
    api.registers = {"4121010500": records("4121010500", 450)}
    api.stumbles = ["", "", *["502"] * 4]
    with pytest.raises(FetchError, match="page 3"):
        fetch(api, tmp_path, ["4121010500"])
    before = len(api.asked)
    (report,) = fetch(api, tmp_path, ["4121010500"])
    assert [q["pageNo"] for q in api.asked[before:]] == ["3", "4", "5"]
    assert (report.rows, report.resumed) == (450, 2)
    assert len(json.loads(report.path.read_text(encoding="utf-8"))) == 450


def test_a_demolished_building_does_not_live_on_in_an_older_file(api, tmp_path):
    api.registers = {"4121010500": records("4121010500", 5)}
    fetch(api, tmp_path, ["4121010500"])
    api.registers = {"4121010500": records("4121010500", 4)}
    fetch(api, tmp_path, ["4121010500"], today=date(2026, 12, 1))
    (dataset,) = take_inventory(tmp_path).datasets
    assert len(read_table(tmp_path, dataset).frame) == 4


def test_an_error_in_xml_is_named_and_the_key_stands_nowhere(api, tmp_path, caplog):
    wrong = "WRONG-KEY-0123456789"
    with (
        caplog.at_level(logging.DEBUG),
        pytest.raises(FetchError, match="SERVICE_KEY_IS_NOT_REGISTERED_ERROR") as error,
    ):
        fetch(api, tmp_path, ["4121010500"], key=wrong)
    texts = [str(error.value), caplog.text, *(p.read_text() for p in tmp_path.rglob("*") if p.is_file())]
    assert len(texts) == 3 and not any(wrong in text for text in texts)


@pytest.mark.parametrize("code", ["20", "22", "30", "31", "32", "77"])
def test_refusals_are_not_repeated(code):
    with pytest.raises(FetchError, match=f"BAD .{code}. →"):
        read_answer(json.dumps({"response": {"header": {"resultCode": code, "resultMsg": "BAD"}}}))


@pytest.mark.parametrize("code", ["01", "02", "4", "05", "99"])
def test_what_passes_is_asked_again(code):
    with pytest.raises(TryAgain):
        read_answer(json.dumps({"response": {"header": {"resultCode": code, "resultMsg": "BUSY"}}}))


def test_no_data_is_no_error():
    assert read_answer('{"response":{"header":{"resultCode":"03","resultMsg":"NODATA_ERROR"}}}').total == 0
