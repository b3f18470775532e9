"""Footways of map sheets: how they are known, and that every record is accounted for."""

from __future__ import annotations

import geopandas as gpd
import pytest
import shapely

from geodata.clean.footways import clean_footways
from geodata.inbox import take_inventory


def test_what_becomes_of_every_record(area, box, raw_layer):
    west, south = 190_100.0, 540_100.0
    bow_tie = shapely.Polygon([(west, south), (west + 10, south + 3), (west + 10, south), (west, south + 3)])
    shapes = [box(0, 0, 60, 2), box(0, 0, 60, 2), box(980, 5, 60, 2), box(1100, 0, 9, 2), bow_tie, None]
    raw = raw_layer(
        "footways",
        shapes,
        source_id=["1", "1", "2", "3", "4", "5"],
        paving=["소형고압블록", "소형고압블록", "아스콘", None, None, None],
        width_m=[2.0, 2.0, 0.0, 2.0, 2.0, 2.0],
    )
    layer = clean_footways([raw], area)
    account = layer.account
    assert (account.read, account.outside, account.published, account.merged, account.reasoned) == (6, 1, 3, 1, 1)
    assert layer.quality["reason"].value_counts().to_dict() == {
        "exact_duplicate": 1, "no_geometry": 1, "geometry_repaired": 1,
    }  # fmt: skip
    footways = layer.features.set_index("footway_id")
    assert footways.index.tolist() == ["1", "2", "4"]
    assert footways.loc["1", ["paving", "width_m"]].tolist() == ["소형고압블록", 2.0]
    assert footways["width_m"].isna().tolist() == [False, True, False]
    # whole where it crosses the border
    assert footways.area.tolist() == pytest.approx([120.0, 120.0, 15.0])


@pytest.mark.parametrize(("sheet", "key"), [("376120506", "NGII_1000_FOOTWAYS"), ("037612047", "NGII_5000_FOOTWAYS")])
def test_footways_are_known_by_columns_and_identifier(tmp_path, box, sheet, key):
    rows = {"폭": [2.0], "재질": ["소형고압블록"]}
    for name, code in (("인도", "A003"), ("담장", "C039")):
        frame = gpd.GeoDataFrame(
            rows | {"UFID": [f"1000{sheet}{code}10000000000000001"]}, geometry=[box(0, 0, 9, 2)], crs="EPSG:5186"
        )
        frame.to_file(tmp_path / f"{name}.gpkg")
    (dataset,) = take_inventory(tmp_path).datasets
    assert (dataset.product, dataset.role) == (key, "footways")
