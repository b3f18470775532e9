from __future__ import annotations

import functools
import json
import logging
import math
import time
from datetime import date
from urllib.parse import quote

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geodata.clean.zoning import clean_zones
from geodata.errors import InputError
from geodata.fetch.courtesy import Caller, Courtesy, FetchError
from geodata.fetch.town import Endpoints, chosen_layers, fetch_town
from geodata.inbox import take_inventory
from geodata.site import Site
from geodata.study_area import StudyArea
from geodata.vector_file import read_dataset
from geodata.vworld.layers import vworld_layers
from geodata.vworld.tiles import Tile, tiles_of
from tests.geodata.fetch.conftest import DOMAIN, EAGER, KEY, Api

TODAY = date(2026, 11, 26)
CORNER = (184_000.0, 537_000.0)
SIDE = 3_565.0
"""A square of 12.71 km2 within Gwangmyeong."""
LOT = 31.0
ENVIRONMENT = {"VWORLD_KEY": KEY, "VWORLD_DOMAIN": DOMAIN}


@pytest.fixture
def site(tmp_path) -> Site:
    file = tmp_path / "site.yaml"
    box = [CORNER[0], CORNER[1], CORNER[0] + SIDE, CORNER[1] + SIDE]
    file.write_text(
        json.dumps(
            {
                "name": "town",
                "title": {"ko": "시험", "en": "test"},
                "study_area": {"bbox": box, "crs": "EPSG:5186"},
                "fetch": {"filters": {"LT_C_LHZONE": "zonename:like:광명"}},
            },
            ensure_ascii=False,
        ),
        encoding="utf-8",
    )
    return Site.load(file)


def lots() -> tuple[np.ndarray, list[dict]]:
    """Return 115 x 115 lots that fill the square: 13,225 of them, more than one tile may hold."""
    n = math.floor(SIDE / LOT)
    x, y = (values.ravel() for values in np.meshgrid(np.arange(n) * LOT + CORNER[0], np.arange(n) * LOT + CORNER[1]))
    records = [
        {
            "pnu": f"41210105001{i // 9999 + 1:04d}{i % 9999:04d}",
            "jibun": f"{i // 9999 + 1}-{i % 9999} 대",
            "bonbun": str(i // 9999 + 1),
            "bubun": str(i % 9999),
            "addr": "경기도 광명시 노온사동",
        }
        for i in range(n * n)
    ]
    return shapely.box(x, y, x + LOT, y + LOT), records


@functools.cache
def study_area() -> StudyArea:
    """Return the square; reading all legal dongs of Korea takes seconds."""
    square = shapely.box(*CORNER, CORNER[0] + SIDE, CORNER[1] + SIDE)
    dongs = gpd.GeoDataFrame({"dong_code": ["4121010500"], "name_ko": ["노온사동"]}, geometry=[square], crs="EPSG:5186")
    return StudyArea(crs="EPSG:5186", area=square, dongs=dongs)


def fetched(api: Api, site: Site, layers: list[str], today: date = TODAY, courtesy: Courtesy = EAGER, **keys: str):
    places = Endpoints(
        vworld=f"{api.url}/data", register=f"{api.url}/register", pvgis=f"{api.url}/tmy", courtesy=courtesy
    )
    return fetch_town(site, layers, ENVIRONMENT | keys, today, endpoints=places, area=study_area())


def read(site: Site, role: str):
    inventory = take_inventory(site.inbox)
    assert [p.what for p in inventory.problems if p.fatal] == []
    datasets = [d for d in inventory.datasets if d.role == role]
    assert len(datasets) == 1
    return datasets[0], read_dataset(site.inbox, datasets[0], "EPSG:5186").frame


def test_the_district_comes_whole_through_tiles_and_no_lot_twice(api, site):
    shapes, records = lots()
    api.have("LP_PA_CBND_BUBUN", shapes, records)
    (report,) = fetched(api, site, ["LP_PA_CBND_BUBUN"])
    assert report.rows == len(records) == 13_225
    # lots on the edges of tiles come with every tile that they touch
    assert report.duplicates > 100
    dataset, frame = read(site, "parcels")
    assert (dataset.product, dataset.vintage) == ("LP_PA_CBND_BUBUN", "2026-11-26")
    assert sorted(frame["pnu"]) == sorted(record["pnu"] for record in records)
    assert shapely.area(frame.geometry.to_numpy()).sum() == pytest.approx(13_225 * LOT**2)
    # every box was below the limit, else the API would have refused; no page was asked for twice
    pages = [(q["geomFilter"], q["page"]) for q in api.asked]
    assert len(pages) == len(set(pages))


def test_a_tile_that_is_too_full_is_divided(api, site):
    x = np.arange(10_500) % 100 * 20.0 + CORNER[0] + 100
    y = np.arange(10_500) // 100 * 20.0 + CORNER[1] + 100
    api.have(
        "LP_PA_CBND_BUBUN", shapely.box(x, y, x + 19, y + 19), [{"pnu": f"4121010500{i:09d}"} for i in range(10_500)]
    )
    (report,) = fetched(api, site, ["LP_PA_CBND_BUBUN"])
    assert report.rows == 10_500
    sizes = {round(float(b[2]) - float(b[0])) for b in ([*q["geomFilter"][4:-1].split(",")] for q in api.asked)}
    assert sizes == {3000, 1500}


@pytest.mark.parametrize("calls", [1, 4, 7, 15])
def test_interrupted_and_resumed_it_is_the_same_file_and_nothing_is_asked_twice(api, site, calls, tmp_path):
    shapes, records = lots()
    api.have("LP_PA_CBND_BUBUN", shapes, records)
    api.limit = calls
    with pytest.raises(FetchError, match="OVER_REQUEST_LIMIT") as stopped:
        fetched(api, site, ["LP_PA_CBND_BUBUN"])
    assert stopped.value.code == "OVER_REQUEST_LIMIT"
    progress = site.inbox / ".vworld_LP_PA_CBND_BUBUN.progress"
    assert progress.exists() and list(site.inbox.glob("*.geojson")) == []
    before = len(api.asked)
    finished = {json.loads(line).get("piece") for line in progress.read_bytes().splitlines()[1:]}
    # a kill in the middle of a line
    with progress.open("ab") as stream:
        stream.write(b'{"piece":"182000.000,53')
    api.limit = None
    (report,) = fetched(api, site, ["LP_PA_CBND_BUBUN"], today=date(2026, 11, 27))
    assert report.rows == 13_225 and report.resumed <= len(finished)
    again = {q["geomFilter"] for q in api.asked[before:]}
    for name in finished:
        minx, miny, size = map(float, name.split(","))
        assert "BOX({:.3f},{:.3f},{:.3f},{:.3f})".format(*Tile(minx, miny, size).box) not in again
    assert not progress.exists()
    other = site.model_copy(update={"inbox": tmp_path / "other"})
    (whole,) = fetched(api, other, ["LP_PA_CBND_BUBUN"])
    assert whole.path.read_bytes() == report.path.read_bytes()


def test_progress_of_another_time_or_filter_is_not_mixed_in(api, site):
    shapes, records = lots()
    api.have("LP_PA_CBND_BUBUN", shapes, records)
    api.limit = 4
    with pytest.raises(FetchError):
        fetched(api, site, ["LP_PA_CBND_BUBUN"])
    api.limit = None
    (report,) = fetched(api, site, ["LP_PA_CBND_BUBUN"], today=date(2026, 12, 26))
    assert report.resumed == 0


def test_nothing_there_is_an_empty_layer_and_no_error(api, site):
    api.have("LT_C_LHBLPN", shapely.box([0], [0], [1], [1]), [{"zonename": "elsewhere"}])
    (report,) = fetched(api, site, ["LT_C_LHBLPN"])
    assert report.path is None and report.rows == 0
    assert list(site.inbox.glob("*")) == []


def test_an_unchanged_layer_leaves_the_inbox_as_it_is_and_a_changed_one_sets_the_old_file_aside(api, site):
    shapes, records = lots()
    api.have("LP_PA_CBND_BUBUN", shapes[:50], records[:50])
    (first,) = fetched(api, site, ["LP_PA_CBND_BUBUN"])
    (second,) = fetched(api, site, ["LP_PA_CBND_BUBUN"], today=date(2026, 12, 1))
    assert second.path == first.path and not second.is_new
    api.have("LP_PA_CBND_BUBUN", shapes[:49], records[:49])
    (third,) = fetched(api, site, ["LP_PA_CBND_BUBUN"], today=date(2026, 12, 2))
    assert third.is_new and third.path.name == "vworld_LP_PA_CBND_BUBUN_20261202.geojson"
    assert [p.name for p in (site.inbox / ".replaced").iterdir()] == ["vworld_LP_PA_CBND_BUBUN_20261126.geojson"]
    assert len(read(site, "parcels")[1]) == 49


@pytest.mark.parametrize("stumble", ["502", "429", "drop", "cut", "html", "SYSTEM_ERROR"])
def test_hiccups_are_waited_out(api, site, stumble):
    shapes, records = lots()
    api.have("LP_PA_CBND_BUBUN", shapes[:50], records[:50])
    api.stumbles = [stumble, stumble]
    assert fetched(api, site, ["LP_PA_CBND_BUBUN"])[0].rows == 50


def test_an_api_that_stays_away_is_given_up_and_named(api, site):
    shapes, records = lots()
    api.have("LP_PA_CBND_BUBUN", shapes[:50], records[:50])
    api.stumbles = ["502"] * 50
    with pytest.raises(FetchError, match=r"LP_PA_CBND_BUBUN, tile .* after 4 attempts \(HTTP 502\)"):
        fetched(api, site, ["LP_PA_CBND_BUBUN"])
    assert len(api.asked) == 4


@pytest.mark.parametrize(
    "code", ["INVALID_KEY", "INCORRECT_KEY", "UNAVAILABLE_KEY", "OVER_REQUEST_LIMIT", "INVALID_RANGE", "NEW_ERROR"]
)
def test_refusals_are_named_with_their_remedy_and_not_repeated(api, site, code):
    api.have("LP_PA_CBND_BUBUN", *(part[:5] for part in lots()))
    api.error = code
    with pytest.raises(FetchError, match=f"{code}.*→") as refused:
        fetched(api, site, ["LP_PA_CBND_BUBUN"])
    assert refused.value.code == code and KEY not in str(refused.value)
    assert len(api.asked) == 1


def test_a_layer_that_the_api_lacks_does_not_keep_the_others_away(api, site):
    shapes, records = lots()
    api.have("LP_PA_CBND_BUBUN", shapes[:50], records[:50])
    with pytest.raises(FetchError, match=r"LT_C_UQ114.*INVALID_RANGE"):
        fetched(api, site, ["LT_C_UQ114", "LP_PA_CBND_BUBUN"])
    assert len(read(site, "parcels")[1]) == 50


def test_calls_keep_their_distance(api, site):
    shapes, records = lots()
    api.have("LP_PA_CBND_BUBUN", shapes[:50], records[:50])
    slow = Courtesy(calls_per_second=20, attempts=2, first_wait_s=0.001, longest_wait_s=0.01, timeout_s=5)
    started = time.monotonic()
    fetched(api, site, ["LP_PA_CBND_BUBUN"], courtesy=slow)
    assert len(api.times) >= 4
    # counted from the start: a call that arrives late makes the next one seem early
    assert (np.array(api.times) - started >= 0.05 * np.arange(len(api.times))).all()


def test_the_key_stands_nowhere(api, site, caplog, capfd, tmp_path):
    """Success, hiccup, refusal that repeats the key, wrong key: no file, message, log or traceback holds any spelling."""
    shapes, records = lots()
    api.have("LP_PA_CBND_BUBUN", shapes[:50], [r | {"addr": f"echo {KEY}"} for r in records[:50]])
    said = []
    with caplog.at_level(logging.DEBUG):
        api.stumbles = ["502", "drop"]
        fetched(api, site, ["LP_PA_CBND_BUBUN"])
        for spoil in ({"error": "INVALID_KEY"}, {"limit": 0}, {"stumbles": ["drop"] * 9}, {"stumbles": ["403"]}):
            for name, value in spoil.items():
                setattr(api, name, value)
            with pytest.raises(FetchError) as refused:
                fetched(api, site, ["LP_PA_CBND_BUBUN"], today=date(2026, 12, 24))
            error: BaseException | None = refused.value
            while error is not None:
                said.append(repr(error))
                error = error.__cause__
            api.error, api.limit, api.stumbles = "", None, []
    assert any("/data?" in record.getMessage() for record in caplog.records), "the HTTP library logs addresses"
    printed = capfd.readouterr()
    texts = [*said, caplog.text, printed.out, printed.err]
    texts += [p.read_text(encoding="utf-8") for p in tmp_path.rglob("*") if p.is_file()]
    assert len(texts) > 8
    for spelling in (KEY, quote(KEY), quote(KEY, safe=""), quote(KEY, safe="").lower()):
        assert [text for text in texts if spelling in text] == []


def test_a_missing_key_is_told_before_anything_is_asked(api, site):
    with pytest.raises(InputError, match="VWORLD_KEY is not set"):
        fetch_town(site, ["LP_PA_CBND_BUBUN"], {}, TODAY)
    with pytest.raises(InputError, match="VWORLD_KEY is too short"):
        fetch_town(site, ["LP_PA_CBND_BUBUN"], {"VWORLD_KEY": "abc"}, TODAY)
    assert api.asked == []


def test_an_answer_that_does_not_add_up_is_refused(api, site, monkeypatch):
    api.have("LP_PA_CBND_BUBUN", *(part[:5] for part in lots()))
    honest = Api.vworld

    def short(self, query):
        found = honest(self, query)
        if found["response"]["status"] == "OK":
            found["response"]["result"]["featureCollection"]["features"].pop()
        return found

    monkeypatch.setattr(Api, "vworld", short)
    with pytest.raises(FetchError, match=r"4 features came, 5 were told"):
        fetched(api, site, ["LP_PA_CBND_BUBUN"])


def test_features_without_id_are_told_apart_by_content(api, site):
    shapes, records = lots()
    api.have("LP_PA_CBND_BUBUN", shapes, records, ids=False)
    (report,) = fetched(api, site, ["LP_PA_CBND_BUBUN"])
    assert report.rows == 13_225 and report.duplicates > 100


def test_other_layers_are_recognised_by_their_columns(api, site, area):
    """Buildings LT_C_SPBD, parks, zoning LT_C_UQ111 and the district come back as what they are."""
    box = shapely.box(CORNER[0] + 100, CORNER[1] + 100, CORNER[0] + 200, CORNER[1] + 200)
    houses = shapely.box(*(np.array([[0, 0, 10, 10], [20, 0, 30, 10]]) + np.tile([CORNER[0], CORNER[1]], 2) + 50).T)
    api.have(
        "LT_C_SPBD",
        houses,
        [
            {
                "bd_mgt_sn": f"412101050010001000{i}",
                "pnu": f"412101050010001000{i}",
                "buld_nm": "",
                "gro_flo_co": "3",
                "und_flo_co": "1",
                "xpos": "1",
                "ypos": "2",
            }
            for i in range(2)
        ],
    )
    api.have(
        "LT_C_UQ111", np.array([box]), [{"uname": "자연녹지지역", "sigg_name": "광명시", "dyear": "2020", "dnum": "1"}]
    )
    api.have(
        "LT_C_UPISUQ153",
        np.array([box]),
        [{"present_sn": "1", "dgm_nm": "근린공원", "lclas_cl": "UQT200", "mlsfc_cl": "UQT220", "excut_se": "EMA0002"}],
    )
    zones = np.array([shapely.box(184_000, 538_000, 186_000, 540_000), shapely.box(184_000, 537_000, 185_000, 538_000)])
    api.have("LT_C_LHZONE", zones, [{"zonename": "광명시흥 공공주택지구"}, {"zonename": "시흥목감"}])
    fetched(api, site, ["LT_C_SPBD", "LT_C_UPISUQ153", "LT_C_UQ111", "LT_C_LHZONE"])
    dataset, frame = read(site, "buildings")
    assert dataset.product == "LT_C_SPBD"
    assert frame["floors_above"].astype(float).tolist() == [3, 3]
    assert read(site, "parks")[1]["class_code"].tolist() == ["UQT220"]
    assert read(site, "district")[1]["name"].tolist() == ["광명시흥 공공주택지구"]
    dataset, frame = read(site, "zoning")
    assert dataset.product == "LT_C_UQ111" and frame["zone_name"].tolist() == ["자연녹지지역"]


def test_tiles_cover_the_area_below_the_limit():
    area = shapely.Point(185_000, 540_000).buffer(3_000)
    tiles = tiles_of(area, 3000.0)
    union = shapely.union_all([shapely.box(*tile.box) for tile in tiles])
    assert union.covers(area)
    assert sum(shapely.box(*t.box).area for t in tiles) == pytest.approx(union.area)
    assert all(shapely.box(*tile.box).area <= 10e6 for tile in tiles)
    # moving the area by a metre moves no tile
    assert set(tiles_of(shapely.affinity.translate(area, 1, 0), 3000.0)) & set(tiles) == set(tiles)
    quarters = tiles[0].quarters()
    assert shapely.union_all([shapely.box(*q.box) for q in quarters]).equals(shapely.box(*tiles[0].box))


def test_layers_are_chosen_by_name_and_by_role(site):
    assert chosen_layers(site, ["zoning"]) == ["LT_C_UQ111", "LT_C_UQ112", "LT_C_UQ113", "LT_C_UQ114"]
    assert chosen_layers(site, ["building_register", "lp_pa_cbnd_bubun"]) == ["LP_PA_CBND_BUBUN", "BR_TITLE_INFO"]
    assert set(vworld_layers()) < set(chosen_layers(site, []))
    with pytest.raises(InputError, match="nothing called 'roads'"):
        chosen_layers(site, ["roads"])


def test_a_caller_leaves_no_filter_behind():
    before = list(logging.getLogger("httpx").filters)
    with Caller(courtesy=EAGER):
        assert len(logging.getLogger("httpx").filters) == len(before) + 1
    assert logging.getLogger("httpx").filters == before


def test_zones_fetched_by_name_alone_are_cleaned(area, raw_layer, box):
    layer = raw_layer("zoning", [box(0, 0, 500, 500)], zone_code=[None], zone_name=["제1종 일반주거지역"])
    assert clean_zones([layer], area).features["zone_name"].tolist() == ["제1종일반주거지역"]
