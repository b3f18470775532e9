"""Streets, footways, park entrances and bus stops of the demo town against what it tells of them."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geodata.map_sheets import sheets_over
from tests.geodata.demo.demo_files import duplicates, read


def test_road_centrelines_run_in_the_middle_of_the_roads(roads: gpd.GeoDataFrame, parcels: gpd.GeoDataFrame) -> None:
    land = parcels[parcels["A5"].str.endswith("도", na=False) & parcels.geometry.notna()]
    ground = shapely.union_all(shapely.make_valid(land.geometry.to_numpy()), grid_size=0.01)
    streets = roads[roads["도로구분"].isin(["시도", "면리간도로"])]
    inside = shapely.length(shapely.intersection(streets.geometry.to_numpy(), ground)).sum()
    # a lot whose shape was taken away, and bends, of which straightening cuts a little
    assert inside > 0.985 * streets.length.sum()
    # halfway along, both kerbs are equally near: the land reaches half the width to both sides
    whole = streets[(streets["도로폭"] > 0) & (streets.length > 40)]
    middle = shapely.line_interpolate_point(whole.geometry.to_numpy(), 0.5, normalized=True)
    kerb = shapely.distance(middle, ground.boundary)
    assert np.median(np.abs(2 * kerb - whole["도로폭"])) < 1.0
    # streets are told whole: nearly all street land is within half a width, and the rounded corners, of a line
    near = shapely.union_all(shapely.buffer(streets.geometry.to_numpy(), streets["도로폭"].clip(lower=4) / 2 + 8))
    assert ground.difference(near).area < 0.03 * ground.area


def test_streets_and_footways_hang_together(roads: gpd.GeoDataFrame, truth: dict) -> None:
    assert set(roads["도로구분"]) == {"시도", "면리간도로", "부지안도로", "소로"}
    shapes = roads.geometry.to_numpy()
    one, other = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=0.05)
    count, part = connected_components(coo_array((np.ones(len(one)), (one, other)), shape=(len(shapes), len(shapes))))
    largest = np.argmax(np.bincount(part, weights=roads.length, minlength=count))
    assert roads.length[part == largest].sum() > 0.95 * roads.length.sum()
    assert truth["roads"]["length_by_purpose_m"]["path"] > 1_000
    assert truth["roads"]["length_by_purpose_m"]["drive"] > 3_000


def test_roads_come_by_sheet_and_are_numbered_in_it(roads: gpd.GeoDataFrame, truth: dict, town: Path) -> None:
    planted = truth["roads"]
    assert sorted(planted["sheets"]) == sorted(path.stem for path in (town / "inbox").glob("376*.zip"))
    assert len(planted["sheets"]) >= 2
    assert len(roads) == planted["rows"]
    assert duplicates(roads) >= planted["exact_duplicate_rows"] > 0
    assert roads["UFID"].str.fullmatch("10000376120[0-9]{2}A002[0-9]{17}").all()
    frames = sheets_over(tuple(roads.total_bounds), "EPSG:5186").set_index("number").geometry.buffer(0.01)
    assert shapely.covers(frames.loc[roads["UFID"].str[5:13]].to_numpy(), roads.geometry.to_numpy()).all()


def test_park_entrances_stand_at_the_parks_that_they_name(town: Path, truth: dict, roads: gpd.GeoDataFrame) -> None:
    planted = truth["park_entrances"]
    gates = read(town / "inbox" / "공원출입구_조사.zip")
    assert len(gates) == planted["rows"]
    assert duplicates(gates) == planted["exact_duplicate_rows"]
    gates = gates.drop_duplicates("출입구번호")
    parks = read(town / "inbox" / "UPIS_C_UQ153.zip").drop_duplicates("PRESENT_SN").to_crs("EPSG:5186")
    whole = parks[parks["DGM_NM"].str.startswith("가상 제")].set_index("DGM_NM").geometry
    mine = gates[gates["공원명"].isin(whole.index)]
    assert mine["공원명"].nunique() >= planted["parks_surveyed"] - 1  # the name of one park in the file is damaged
    border = shapely.distance(mine.geometry.to_numpy(), whole[mine["공원명"]].boundary.to_numpy())
    assert border.max() < 7.5  # five standard deviations of the survey
    assert shapely.distance(mine.geometry.to_numpy(), shapely.union_all(roads.geometry.to_numpy())).max() < 40
    strays = gates[gates["공원명"] == "가상 체육관"]
    assert len(strays) == planted["without_park"]
    assert strays.distance(shapely.union_all(whole.to_numpy())).min() > 100


def test_bus_stops_stand_beside_the_streets(town: Path, truth: dict, roads: gpd.GeoDataFrame) -> None:
    table = pd.read_csv(town / "inbox" / "국토교통부_전국 버스정류장 위치정보.csv", encoding="cp949", dtype="str")
    assert len(table) == truth["bus_stops"]["rows"]
    assert table.duplicated().sum() == truth["bus_stops"]["exact_duplicate_rows"]
    mine = table[(table["도시코드"] == "31060") & table["위도"].str.startswith("37", na=False)].drop_duplicates()
    assert len(mine) == truth["bus_stops"]["published"]
    places = gpd.GeoSeries.from_xy(mine["경도"].astype(float), mine["위도"].astype(float), crs="EPSG:4326")
    streets = roads[roads["도로구분"] == "시도"] if "도로구분" in roads.columns else roads
    near = streets.to_crs("EPSG:5186").sindex.nearest(places.to_crs("EPSG:5186"), return_distance=True)[1]
    # half of the widest street and a step beside it
    assert near.max() < 20
    assert near.min() > 1
