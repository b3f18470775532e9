from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geodata.catalogue import LAYERS
from geodata.errors import InputError
from twin.solar.roofs import on_racks, roof_parameters, roof_planes

CRS = "EPSG:5186"


def buildings(*shapes: shapely.Geometry) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {
            "building_id": [f"B{number}" for number in range(len(shapes))],
            "pnu": "4121010100100010000",
            "dong_code": "4121010100",
        },
        geometry=list(shapes),
        crs=CRS,
    )


def planes(*rows: tuple) -> gpd.GeoDataFrame:
    ids, tilts, azimuths, shapes = zip(*rows, strict=True)
    return gpd.GeoDataFrame(
        {"building_id": ids, "tilt_deg": tilts, "azimuth_deg": azimuths}, geometry=list(shapes), crs=CRS
    )


# Modules of 1.722 m x 1.134 m at 30 deg, long side along the row: a row is 0.982 m deep, the next begins after 2.005 m; with
# the clamp of 0.02 m a module takes 1.742 m of row: 3.493 m2 with the space behind it, 1.711 m2 without.
@pytest.mark.parametrize(
    ("shape", "usable", "modules"),
    [
        # inside the edge 19.4 x 9.4 = 182.4, so 70 % of 200 count; rows at 0, 2.0, 4.0, 6.0, 8.0 (ends at 9.0), each of
        # (19.4 + 0.02) / 1.742 = 11.1 modules. Four rows take 33 x 3.493 + 11 x 1.711 = 134.1, a fifth would begin at 153.7
        (shapely.box(0, 0, 20, 10), 140.0, 44),
        # the same roof the other way: 9.4 m hold 5 modules, rows at 0 ... 18.04 (ends at 19.03): 10. Seven take
        # 30 x 3.493 + 5 x 1.711 = 113.3, eight 130.8; the ninth has 140 - 139.7 = 0.3 m2 left
        (shapely.box(0, 0, 10, 20), 140.0, 40),
        # inside the edge 39.4 x 0.4: too narrow for a row
        (shapely.box(0, 0, 40, 1), 39.4 * 0.4, 0),
        # 39.4 x 1.0: one row of 39.42 / 1.742 = 22.6; 70 % of 64 = 44.8 holds 26 of them
        (shapely.box(0, 0, 40, 1.6), 39.4, 22),
        # 3.4 x 3.4 = 11.56, of which 70 % of 16 = 11.2 count: rows of (3.42 / 1.742) = 1 at 0 and 2.0 (ends at 2.99)
        (shapely.box(0, 0, 4, 4), 11.2, 2),
        (shapely.box(0, 0, 3.5, 3.5), 0.0, 0),  # 8.6 m2 are too little
        (shapely.box(0, 0, 100, 0.5), 0.0, 0),  # nothing is left inside the edge
        # L of 20 x 2 and 2 x 18: inner L 19.4 x 1.4 + 1.4 x 18 = 52.36, 70 % of 76 = 53.2. The lower arm holds a row of 11,
        # the upper one is 1.4 m wide: no module
        (shapely.union(shapely.box(0, 0, 20, 2), shapely.box(0, 2, 2, 20)), 52.36, 11),
        # court of 14 x 14 in 30 x 30, its edge at 7.4 and 22.0 of 29.4 m: four rows of 16 before it (the last ends at 7.0), seven
        # of 4 + 4 beside it, four of 16 beyond. 70 % of 704 m2 are 492.8: with the first row
        # beyond, 64 + 56 + 16 = 136 modules take 136 x 3.493 = 475.0, and of the next row (492.8 - 475.0) / 1.711 = 10 fit
        (shapely.box(0, 0, 30, 30) - shapely.box(8, 8, 22, 22), 0.7 * 704, 146),
    ],
)
def test_flat_roofs_by_hand(shape, usable, modules):
    roof = roof_planes(buildings(shape)).iloc[0]
    assert roof["area_m2"] == pytest.approx(shape.area)
    assert roof["usable_area_m2"] == pytest.approx(usable)
    assert roof["module_count"] == modules
    assert roof["capacity_kwp"] == pytest.approx(modules * 0.43)


def test_racks_face_south_on_a_turned_roof():
    # a square on its tip: inside the edge it is 20 - 2 x 0.3 x sqrt 2 = 19.15 m from tip to tip, and a row whose farther
    # edge is y away from the middle is 19.15 - 2 y long. Rows end at 0.98, 2.99, 4.99, 7.00 and 9.00 from the lower tip,
    # begin at 10.02, 12.03, 14.03, 16.04 and 18.04: lengths 0, 4.01, 8.02, 12.03, 16.04, 16.28, 12.27, 8.26, 4.25, 0.24
    half = 10 - 0.3 * np.sqrt(2)
    begin = np.arange(10) * 2.00497
    length = 2 * (half - np.maximum(np.abs(begin - half), np.abs(begin + 0.98207 - half)))
    rows = np.maximum((length + 0.02) // 1.742, 0).astype(int).tolist()
    assert rows == [0, 2, 4, 6, 9, 9, 7, 4, 2, 0]
    # of these 43 the last two are beyond 70 % of 200 m2: 37 x 3.493 + 4 x 1.711 = 136.1 and 41 x 3.493 = 143.2
    tip = shapely.Polygon([(10, 0), (20, 10), (10, 20), (0, 10)])
    roof = roof_planes(buildings(tip)).iloc[0]
    assert roof["usable_area_m2"] == pytest.approx(0.7 * 200)
    assert roof["module_count"] == 41
    assert roof["module_azimuth_deg"] == 180.0


def test_the_front_row_stands_free():
    roofs = roof_planes(buildings(shapely.box(0, 0, 20, 10), shapely.box(50, 0, 70, 2), shapely.box(90, 0, 91, 1)))
    assert roofs["behind_row_share"].tolist() == [33 / 44, 0.0, 0.0]


def test_capacity_is_that_of_whole_modules_and_stays_within_the_share():
    generator = np.random.default_rng(11)
    shapes = []
    for number in range(400):
        corners = generator.uniform(0, 40, (8, 2)) + np.array([100.0 * number, 0.0])
        shapes.append(shapely.convex_hull(shapely.multipoints(corners)))
    roofs = roof_planes(buildings(*shapes))
    assert roofs["module_count"].dtype.kind == "i"
    assert (roofs["capacity_kwp"] - roofs["module_count"] * 0.43).abs().max() < 1e-9
    lying = roofs["module_count"] * 1.722 * 1.134 * np.cos(np.radians(30.0))
    assert (lying <= roofs["usable_area_m2"] + 1e-9).all()
    assert (roofs["usable_area_m2"] <= 0.7 * roofs["area_m2"] + 1e-9).all()
    # 0.43 kW on 3.493 m2 are 0.123 kW per m2, and the last row has no space behind it; corners stay empty
    density = roofs["capacity_kwp"].sum() / roofs["usable_area_m2"].sum()
    assert 0.10 < density < 0.13


def test_flat_roofs_carry_racks_within_the_guideline():
    roofs = roof_planes(buildings(shapely.box(0, 0, 20, 10)))
    assert roofs["roof_id"].tolist() == ["B0-1"]
    assert roofs["tilt_deg"].tolist() == [0.0]
    assert np.isnan(roofs["azimuth_deg"].iloc[0])
    assert 0 < roofs["module_tilt_deg"].iloc[0] <= 36
    assert roofs["module_azimuth_deg"].tolist() == [180.0]
    assert on_racks(roofs).tolist() == [True]


def test_given_planes_are_measured_along_the_slope_and_carry_flush_modules():
    south, north = shapely.box(0, 0, 20, 5), shapely.box(0, 5, 20, 10)
    roofs = roof_planes(
        buildings(shapely.box(0, 0, 20, 10), shapely.box(50, 0, 60, 10)),
        planes(("B0", 60.0, 180.0, south), ("B0", 60.0, 0.0, north)),
    )
    assert roofs["roof_id"].tolist() == ["B0-1", "B0-2", "B1-1"]
    assert roofs["azimuth_deg"].tolist()[:2] == [0.0, 180.0]
    assert roofs["area_m2"].tolist() == pytest.approx([200.0, 200.0, 100.0])  # 100 / cos 60
    assert roofs["module_tilt_deg"].tolist()[:2] == [60.0, 60.0]
    assert on_racks(roofs).tolist() == [False, False, True]
    # 20 x 10 m along the slope: inside the edge 19.4 / 1.154 = 16.8 modules upright side by side, 9.4 / 1.742 = 5.4 rows.
    # 70 % of 200 m2: four rows and the space between take 48 x 1.154 x 1.742 + 16 x 1.154 x 1.722 = 128.3, a fifth 160.5;
    # of it (140 - 128.7) / (1.154 x 1.722) = 5 modules fit
    assert roofs["usable_area_m2"].tolist()[:2] == pytest.approx([140.0, 140.0])
    assert roofs["module_count"].tolist()[:2] == [69, 69]
    assert roofs["behind_row_share"].tolist()[:2] == [0.0, 0.0]


def test_where_planes_come_from_is_kept():
    given = planes(("B0", 30.0, 90.0, shapely.box(0, 0, 9, 9)), ("B1", 0.0, np.nan, shapely.box(20, 0, 29, 9)))
    given = given.assign(plane_source=["city_model", "surface_model"], fit_rmse_m=[np.nan, 0.08])
    roofs = roof_planes(buildings(*(shapely.box(x, 0, x + 9, 9) for x in (0, 20, 40))), given)
    assert roofs["plane_source"].tolist() == ["city_model", "surface_model", "assumed"]
    assert roofs["fit_rmse_m"].tolist() == pytest.approx([np.nan, 0.08, np.nan], nan_ok=True)


def test_a_nearly_flat_plane_carries_racks_and_keeps_its_tilt():
    roofs = roof_planes(buildings(shapely.box(0, 0, 20, 10)), planes(("B0", 3.0, 90.0, shapely.box(0, 0, 20, 10))))
    assert roofs["tilt_deg"].tolist() == [3.0]
    assert roofs["azimuth_deg"].tolist() == [90.0]
    assert on_racks(roofs).tolist() == [True]


def test_ids_do_not_depend_on_the_order_of_planes():
    shapes = [("B0", 30.0, a, shapely.box(x, 0, x + 9, 9)) for a, x in ((90.0, 0), (90.0, 10), (180.0, 20))]
    there = roof_planes(buildings(shapely.box(0, 0, 30, 9)), planes(*shapes))
    back = roof_planes(buildings(shapely.box(0, 0, 30, 9)), planes(*shapes[::-1]))
    assert there.drop(columns="geometry").equals(back.drop(columns="geometry"))
    assert shapely.equals(there.geometry.to_numpy(), back.geometry.to_numpy()).all()


def test_ids_of_given_planes_are_kept():
    given = planes(("B0", 30.0, 90.0, shapely.box(0, 0, 9, 9))).assign(roof_id="south-east")
    assert roof_planes(buildings(shapely.box(0, 0, 9, 9)), given)["roof_id"].tolist() == ["south-east"]
    with pytest.raises(InputError, match="more than once"):
        roof_planes(buildings(shapely.box(0, 0, 9, 9)), gpd.GeoDataFrame(given.loc[[0, 0]]))


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (("B9", 30.0, 90.0), "not there"),
        (("B0", 85.0, 90.0), "unusable orientation"),
        (("B0", -1.0, 90.0), "unusable orientation"),
        (("B0", 30.0, 400.0), "unusable orientation"),
        (("B0", 30.0, np.nan), "unusable orientation"),
    ],
)
def test_unusable_planes_are_refused(row, words):
    with pytest.raises(InputError, match=words):
        roof_planes(buildings(shapely.box(0, 0, 9, 9)), planes((*row, shapely.box(0, 0, 9, 9))))


def test_roofs_fit_the_catalogue():
    roofs = roof_planes(buildings(shapely.box(0, 0, 20, 10), shapely.box(50, 0, 60, 10)))
    finished = LAYERS["roofs"].finish(roofs)
    assert LAYERS["roofs"].problems(finished, CRS) == []
    assert set(finished.columns) >= {"usable_area_m2", "capacity_kwp", "module_tilt_deg", "geometry"}


def test_no_buildings_no_roofs():
    assert len(roof_planes(buildings().iloc[:0])) == 0


def test_every_rule_names_its_source():
    for name in roof_parameters():
        assert roof_parameters().record(name).source
