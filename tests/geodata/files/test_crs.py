from __future__ import annotations

import numpy as np
import pyproj
import pytest
import rasterio

from geodata.crs import KOREAN_CRS, identify, in_korea, judge, korea_bounds

GRS80 = 'GEOGCS["GCS_ITRF_2000",DATUM["D_ITRF_2000",SPHEROID["GRS_1980",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]'
BESSEL = 'GEOGCS["GCS_Korean_Datum_1985",DATUM["D_Korean_Datum_1985",SPHEROID["Bessel_1841",6377397.155,299.1528128]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]'
DONG = "4121010500"


def tm(name: str, base: str, lon: float, origin: tuple[float, float], k: float = 1.0) -> str:
    fe, fn = origin
    return (
        f'PROJCS["{name}",{base},PROJECTION["Transverse_Mercator"],PARAMETER["False_Easting",{fe}],PARAMETER["False_Northing",{fn}],'
        f'PARAMETER["Central_Meridian",{lon}],PARAMETER["Scale_Factor",{k}],PARAMETER["Latitude_Of_Origin",38.0],UNIT["Meter",1.0]]'
    )


# names and parameters as agencies write them into .prj files
@pytest.mark.parametrize(
    ("prj", "code"),
    [
        (tm("Korea_2000_Korea_Central_Belt_2010", GRS80, 127.0, (2e5, 6e5)), "EPSG:5186"),
        (tm("PCS_ITRF2000_TM", GRS80, 127.0, (2e5, 6e5)), "EPSG:5186"),
        (tm("ITRF_2000_TM_Korea_Central_Belt", GRS80, 127.0, (2e5, 5e5)), "EPSG:5181"),
        (tm("PCS_ITRF2000_TM", GRS80, 127.5, (1e6, 2e6), 0.9996), "EPSG:5179"),
        (tm("Korean_1985_Modified_Korea_Central_Belt", BESSEL, 127.0028902777778, (2e5, 5e5)), "EPSG:5174"),
        (tm("Korean_1985_Korea_Central_Belt", BESSEL, 127.0, (2e5, 5e5)), "EPSG:2097"),
        (tm("My own", GRS80, 127.0, (2e5, 123456.0)), None),
        ("not a definition", None),
        ("", None),
        ("EPSG:5193", None),
    ],
)
def test_prj(prj, code):
    assert identify(prj) == code


@pytest.mark.parametrize("code", KOREAN_CRS)
@pytest.mark.parametrize("version", ["WKT1_ESRI", "WKT1_GDAL", "WKT2_2019"])
def test_every_korean_system_is_known_from_its_wkt(code, version):
    assert identify(pyproj.CRS.from_user_input(code).to_wkt(version)) == code


def test_a_wrong_datum_shift_attached_to_a_definition_is_ignored():
    wkt = pyproj.CRS.from_user_input("EPSG:5174").to_wkt("WKT1_GDAL")
    assert "TOWGS84" not in wkt
    bound = wkt.replace('AUTHORITY["EPSG","6162"]', 'TOWGS84[-146.43,507.89,681.46,0,0,0,0],AUTHORITY["EPSG","6162"]')
    assert "TOWGS84" in bound
    assert identify(bound) == "EPSG:5174"


def test_a_name_does_not_outweigh_parameters():
    assert identify(tm("Korea_2000_Korea_Central_Belt_2010", GRS80, 127.0, (2e5, 5e5))) == "EPSG:5181"


@pytest.mark.realdata
def test_the_seoul_dem_without_code_is_5186(shared_data):
    with rasterio.open(shared_data / "terrain" / "seoul_dem.tif") as raster:
        assert raster.crs.to_epsg() is None
        assert identify(raster.crs.to_wkt()) == "EPSG:5186"


# the seven dongs of the first town in each system, from the published range table
@pytest.mark.parametrize(
    ("code", "x", "y"),
    [
        ("EPSG:5186", 186e3, 538e3),
        ("EPSG:5174", 186e3, 438e3),
        ("EPSG:5179", 940e3, 1.94e6),
        ("EPSG:4326", 126.85, 37.44),
    ],
)
def test_the_town_lies_in_korea_in_every_system(code, x, y):
    assert in_korea(np.array([[x, y, x, y]]), code).all()


@pytest.mark.parametrize(
    ("code", "x", "y"),
    [
        ("EPSG:5186", 940e3, 1.94e6),
        ("EPSG:5186", 186e3, -538e3),
        ("EPSG:4326", 186e3, 538e3),
        ("EPSG:4326", 99.0, 37.0),
        ("EPSG:5179", 186e3, 538e3),
        ("EPSG:4326", 37.4, 126.8),
    ],
)
def test_numbers_of_another_system_do_not(code, x, y):
    assert not in_korea(np.array([[x, y, x, y]]), code).any()


def test_not_finite_is_not_in_korea():
    assert not in_korea(np.array([[np.nan] * 4, [np.inf] * 4]), "EPSG:5186").any()


def test_korea_in_5186():
    # 33 N on the central meridian lies 5 degrees (about 554.7 km) south of the origin at 600 km
    minx, miny, maxx, maxy = korea_bounds("EPSG:5186")
    assert miny < 600_000 - 554_500
    assert minx < 200_000 - 250_000
    assert maxx > 200_000 + 450_000
    assert maxy > 600_000 + 110_000


def town(code: str) -> np.ndarray:
    x, y = pyproj.Transformer.from_crs("EPSG:5186", code, always_xy=True).transform(
        np.linspace(185_500, 186_500, 9), np.linspace(536_500, 537_500, 9)
    )
    return np.column_stack([x, y, x, y])


@pytest.mark.parametrize("code", ["EPSG:5186", "EPSG:5174", "EPSG:5179", "EPSG:4326"])
def test_right_claims_stand(code):
    assert judge(code, town(code), [DONG] * 9).why == ""


def test_numbers_outside_korea_are_refused():
    verdict = judge("EPSG:5186", town("EPSG:5179"))
    assert verdict.refused
    assert "do not lie in Korea" in verdict.why
    assert "EPSG:5179" in verdict.why


def test_a_shift_of_100_km_is_told_by_the_dong_codes():
    # 5174 read as 5186 still lies in Korea, 100 km further south
    numbers = town("EPSG:5174")
    assert in_korea(numbers, "EPSG:5186").all()
    assert judge("EPSG:5186", numbers).why == ""
    verdict = judge("EPSG:5186", numbers, [DONG] * 9)
    assert verdict.refused
    assert "legal dongs" in verdict.why
    assert "EPSG:5174" in verdict.why
    assert judge("EPSG:5174", numbers, [f"{DONG}100010000"] * 9).why == ""


def test_codes_of_another_place_are_told_but_condemn_no_crs():
    # Yeoksam-dong in Gangnam lies 20 km away, which no system explains
    verdict = judge("EPSG:5186", town("EPSG:5186"), ["1168010100"] * 9)
    assert "legal dongs" in verdict.why
    assert not verdict.refused


def test_unknown_codes_and_empty_samples_decide_nothing():
    assert judge("EPSG:5186", town("EPSG:5174"), [None, "9999999999", "x"] * 3).why == ""
    assert judge("EPSG:5186", np.full((2, 4), np.nan)).why == ""
