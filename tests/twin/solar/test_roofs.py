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


@pytest.mark.parametrize(
    ("shape", "usable"),
    [
        (shapely.box(0, 0, 20, 10), 140.0),  # 70 % of 200; inside the edge would be 19.4 x 9.4 = 182.4
        (shapely.box(0, 0, 40, 1), 39.4 * 0.4),  # the edge leaves less than 70 %
        (shapely.box(0, 0, 4, 4), 11.2),
        (shapely.box(0, 0, 3.5, 3.5), 0.0),  # 8.6 m2 are too little
        (shapely.box(0, 0, 100, 0.5), 0.0),  # nothing is left inside the edge
        # an L of 20 x 2 and 2 x 18 with edge 0.3: inner L 19.4 x 1.4 + 1.4 x 18 = 52.36; 70 % of 76 = 53.2
        (shapely.union(shapely.box(0, 0, 20, 2), shapely.box(0, 2, 2, 20)), 52.36),
    ],
)
def test_usable_area_of_flat_roofs(shape, usable):
    roof = roof_planes(buildings(shape)).iloc[0]
    assert roof["area_m2"] == pytest.approx(shape.area)
    assert roof["usable_area_m2"] == pytest.approx(usable)
    assert roof["capacity_kwp"] == pytest.approx(usable * 0.5 * 0.21)


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
    assert roofs["capacity_kwp"].iloc[0] == pytest.approx(min(0.7 * 200, 19.4 * 4.4 * 2) * 0.8 * 0.21)


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
