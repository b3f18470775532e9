"""The 3-30-300 rule, with trees, circles and scores counted by hand."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from rasterio.transform import from_origin

from twin.green.three_thirty import canopy_around, neighbourhood_canopy, rule_shares, with_rule_residents, with_score
from twin.green.trees_in_sight import trees_in_sight, windows
from twin.sky.tiles import SurfaceFolder

CRS = "EPSG:5186"
# a corner of a kilometre that is a corner of a tree square (8 m) as well
EAST, NORTH = 192_000.0, 544_000.0
SIDE = 1000


def write(folder, heights):
    folder.mkdir()
    with rasterio.open(folder / "tile.tif", "w", driver="GTiff", dtype="float32", count=1, width=SIDE, height=SIDE,
                       crs=CRS, transform=from_origin(EAST, NORTH + SIDE, 1.0, 1.0)) as target:  # fmt: skip
        target.write(heights, 1)
    return SurfaceFolder.open(folder)


def fill(heights, box, value):
    west, south, east, north = box
    heights[SIDE - north : SIDE - south, west:east] = value


def homes(*boxes, floors=1, altitude=50.0):
    frame = gpd.GeoDataFrame(
        {"building_id": [f"b{n}" for n in range(len(boxes))], "floors_above": floors, "altitude": altitude},
        geometry=[
            shapely.box(*(edge + start for edge, start in zip(box, (EAST, NORTH) * 2, strict=True))) for box in boxes
        ],
        crs=CRS,
    )
    return frame.astype({"floors_above": "Int64"})


HOUSE = (500, 500, 510, 510)
# squares of 8 m: 528-536, 536-544 ... east of the house, 504-512 north; each crown 4 m wide around the middle of a square
CROWNS = ((530, 506), (530, 490), (538, 514))
HIDDEN = (482, 506)


@pytest.fixture
def garden(tmp_path):
    """A house of 3 m on a plain of 50 m, three trees in its east, one in its west behind a wall, one beyond 50 m."""
    ground, crowns = np.full((SIDE, SIDE), 50.0, np.float32), np.zeros((SIDE, SIDE), np.float32)
    fill(ground, HOUSE, 53.0)
    for x, y in (*CROWNS, HIDDEN, (570, 506)):
        fill(crowns, (x, y, x + 4, y + 4), 8.0)
    return ground, crowns, tmp_path


def count(garden, houses):
    ground, crowns, folder = garden
    return trees_in_sight(houses, write(folder / "ground", ground), write(folder / "crowns", crowns))


def test_with_one_of_three_felled_a_house_sees_two(garden):
    # one more is behind a wall of 20 m, another 60 m away
    ground, crowns, _ = garden
    fill(ground, (490, 440, 491, 570), 70.0)
    fill(crowns, (538, 514, 542, 518), 0.0)
    assert count(garden, homes(HOUSE)).tolist() == [2.0]


def test_a_house_sees_exactly_three_of_five_trees(garden):
    # so the cap at three hides nothing: the felled one in the test above is missed
    fill(garden[0], (490, 440, 491, 570), 70.0)
    assert count(garden, homes(HOUSE)).tolist() == [3.0]


def test_without_the_wall_the_western_tree_is_seen(garden):
    for x, y in CROWNS:
        fill(garden[1], (x, y, x + 4, y + 4), 0.0)
    assert count(garden, homes(HOUSE)).tolist() == [1.0]


def test_a_high_floor_looks_over_the_wall(garden):
    """A wall of 10 m hides a crown that is seen at 6 m, unless the window is at 31.5 m."""
    ground, crowns, folder = garden
    for x, y in CROWNS:
        fill(crowns, (x, y, x + 4, y + 4), 0.0)
    fill(ground, (488, 440, 489, 570), 60.0)
    low = count(garden, homes(HOUSE))
    fill(ground, HOUSE, 113.0)
    (folder / "tall").mkdir()
    tall = count((ground, crowns, folder / "tall"), homes(HOUSE, floors=21))
    assert (low[0], tall[0]) == (0.0, 1.0)


def test_without_ground_height_nothing_is_told(garden):
    assert np.isnan(count(garden, homes(HOUSE, altitude=np.nan))).all()


@pytest.mark.parametrize("turned", [False, True])
def test_windows_stand_outside_at_the_height_of_their_floor(turned):
    house = homes((0, 0, 20, 10), floors=4)
    if turned:
        house = house.set_geometry(house.geometry.reverse())
    home, xyz = windows(house)
    # 2 on each wall of 20 m, 1 on each of 10 m; of 4 floors the second looks out: 50 + 3 + 1.5
    assert len(home) == 6
    assert xyz[:, 2].tolist() == [54.5] * 6
    assert shapely.distance(shapely.points(xyz[:, :2]), house.geometry.iloc[0]) == pytest.approx(np.ones(6))


def cover(*classes_and_boxes):
    return gpd.GeoDataFrame(
        {"class_code": [code for code, _ in classes_and_boxes]},
        geometry=[
            shapely.box(*(edge + start for edge, start in zip(box, (EAST, NORTH) * 2, strict=True)))
            for _, box in classes_and_boxes
        ],
        crs=CRS,
    )


def test_canopy_of_a_neighbourhood_is_a_circular_segment():
    """Forest begins 100 m east of the middle of the house: segment r² acos(d/r) - d √(r² - d²) of the circle."""
    land = cover(("311", (600, 0, 1000, 1000)), ("111", (0, 0, 600, 1000)))
    found = neighbourhood_canopy(homes((495, 495, 505, 505)), canopy_around(land))
    segment = 300**2 * np.arccos(1 / 3) - 100 * np.sqrt(300**2 - 100**2)
    assert found[0] == pytest.approx(100 * segment / (np.pi * 300**2), abs=0.3)


def test_unknown_ground_is_left_out_and_too_much_of_it_leaves_the_share_empty():
    house = homes((495, 495, 505, 505))
    half = cover(("311", (500, 0, 1000, 1000)), ("111", (400, 0, 500, 1000)))
    # half of the circle is forest; of the other half the 100 m beside it are known: half-circle less segment
    segment = 300**2 * np.arccos(1 / 3) - 100 * np.sqrt(300**2 - 100**2)
    wood = np.pi * 300**2 / 2
    assert neighbourhood_canopy(house, canopy_around(half))[0] == pytest.approx(
        100 * wood / (2 * wood - segment), abs=0.3
    )
    assert np.isnan(neighbourhood_canopy(house, canopy_around(cover(("311", (600, 0, 1000, 1000)))))[0])


def test_scores_and_shares_of_residents():
    buildings = pd.DataFrame(
        {
            "trees_in_sight": [3.0, 3.0, 2.0, np.nan, np.nan],
            "neighbourhood_canopy_pct": [29.96, 29.94, 80.0, 80.0, np.nan],
            "park_300m": pd.array([True, False, True, True, None], dtype="boolean"),
            "residents": [10.0, 20.0, 30.0, 40.0, np.nan],
        }
    )
    scored = with_score(buildings)
    # 29.96 is published as 30.0
    assert scored["score_3_30_300"].tolist() == [3, 1, 2, pd.NA, pd.NA]
    sums = with_rule_residents(scored)[
        ["residents", "residents_3_trees", "residents_30_canopy", "residents_3_30_300"]
    ].sum()
    assert rule_shares(sums.to_frame().T).iloc[0, -3:].tolist() == pytest.approx([30.0, 80.0, 10.0])


def test_without_a_part_there_is_no_score():
    assert "score_3_30_300" not in with_score(pd.DataFrame({"trees_in_sight": [3.0], "park_300m": [True]})).columns
