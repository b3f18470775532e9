from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from geodata.errors import InputError
from geodata.site import Site
from geodata.study_area import StudyArea, build_study_area, legal_dongs, with_parcels

# areas [ha] published with the boundaries, see docs: seven dongs of Gwangmyeong-Siheung
HECTARES = {
    "4121010100": 428.0,
    "4121010500": 737.6,
    "4121010700": 555.5,
    "4121010800": 203.3,
    "4139011000": 492.8,
    "4139011200": 481.2,
    "4139013400": 283.1,
}


def site(**study_area):
    return Site(name="a_town", title={"ko": "가", "en": "a"}, study_area=study_area)


def test_the_seven_dongs_have_their_published_areas():
    area = build_study_area(site(legal_dongs=tuple(HECTARES)))
    found = dict(zip(area.dongs["dong_code"], area.dongs.geometry.area / 1e4, strict=True))
    assert found.keys() == HECTARES.keys()
    for code, hectares in HECTARES.items():
        assert found[code] == pytest.approx(hectares, abs=0.06)


def test_rings_are_counter_clockwise_and_valid():
    dongs = legal_dongs("EPSG:5186")
    assert dongs.is_valid.all()
    assert dongs["dong_code"].is_unique
    first = dongs.geometry.iloc[0]
    shell = first.geoms[0].exterior if first.geom_type == "MultiPolygon" else first.exterior
    assert shapely.is_ccw(shell)


def test_an_unknown_dong_is_named():
    with pytest.raises(InputError, match="4121019900"):
        build_study_area(site(legal_dongs=("4121010500", "4121019900")))


def test_a_box_takes_the_dongs_it_touches():
    centre = legal_dongs("EPSG:5186").set_index("dong_code").geometry["4121010500"].representative_point()
    area = build_study_area(site(bbox=(centre.x - 50, centre.y - 50, centre.x + 50, centre.y + 50), crs="EPSG:5186"))
    assert list(area.dongs["dong_code"]) == ["4121010500"]
    assert area.area.area == pytest.approx(10_000, rel=1e-6)


@pytest.mark.parametrize(
    ("crs", "bbox"),
    [("EPSG:5186", (180_000.0, 530_000.0, 190_000.0, 540_000.0)), ("EPSG:4326", (126.8, 37.4, 126.9, 37.45))],
)
def test_a_box_has_few_vertices_and_its_bent_edges(crs, bbox):
    """A box in metres must not be cut in steps meant for degrees; against one cut a hundred times finer."""
    area = build_study_area(site(bbox=bbox, crs=crs)).area
    assert shapely.get_num_coordinates(area) < 1000
    box = shapely.box(*bbox)
    fine = gpd.GeoSeries([shapely.segmentize(box, box.length / 25_000)], crs=crs).to_crs("EPSG:5186").iloc[0]
    assert area.symmetric_difference(fine).area < 1e-6 * fine.area


def test_an_area_outside_korea_is_refused():
    with pytest.raises(InputError, match="no legal dong"):
        build_study_area(site(bbox=(2.2, 48.8, 2.4, 48.9), crs="EPSG:4326"))


def test_a_polygon_file_without_crs_is_refused(tmp_path):
    path = tmp_path / "area.shp"
    gpd.GeoDataFrame(geometry=[shapely.box(185_000, 537_000, 186_000, 538_000)]).to_file(path)
    with pytest.raises(InputError, match="no CRS"):
        build_study_area(site(path=path))


def test_a_missing_polygon_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.gpkg"):
        build_study_area(site(path=Path(tmp_path / "none.gpkg")))


def test_parcels_that_reach_out_enlarge_the_area_and_others_do_not():
    area = StudyArea("EPSG:5186", shapely.box(0, 0, 100, 100), gpd.GeoDataFrame())
    parcels = gpd.GeoDataFrame(geometry=[shapely.box(10, 10, 20, 20), shapely.box(90, 40, 130, 50)])
    wider = with_parcels(area, parcels)
    assert wider.area.area == pytest.approx(100 * 100 + 30 * 10)
    assert with_parcels(area, None) is area
