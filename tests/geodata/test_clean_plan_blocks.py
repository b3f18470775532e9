from __future__ import annotations

import pandas as pd
import pytest
import shapely

from geodata.catalogue import LAYERS
from geodata.clean.district import district_boundary
from geodata.clean.plan_blocks import clean_plan_blocks
from geodata.errors import InputError


def reasons(layer) -> dict[str, int]:
    return layer.quality["reason"].value_counts().to_dict()


def test_blocks(area, box, raw_layer) -> None:
    layer = clean_plan_blocks(
        [
            raw_layer(
                "plan_blocks",
                [box(40 * i, 0, 20, 20) for i in range(6)],
                block_id=["A-1", "B-1", "B-1", "C-1", "C-1", None],
                land_use=["공동주택", "근린공원", "근린공원", "상업", "학교", None],
                floor_area_ratio_pct=["220%", "0", "0", "800", "150", None],
                building_coverage_pct=["50 %", None, None, "120", "60", None],
                floors_limit=["29층 이하", "0", "0", "25", "5", None],
                homes=["1,250", "0", "0", None, None, None],
            )
        ],
        area,
    )
    account = layer.account
    assert (account.read, account.published, account.merged) == (6, 5, 1)
    assert reasons(layer) == {"same_block": 1, "id_duplicate": 2, "value_implausible": 1, "land_use_missing": 1}
    blocks = layer.features.set_index("block_id")
    assert blocks.index.is_unique
    first = blocks.loc["A-1"]
    assert (first["floor_area_ratio_pct"], first["building_coverage_pct"], first["floors_limit"], first["homes"]) == (
        220,
        50,
        29,
        1250,
    )
    park = blocks.loc["B-1"]
    assert park["area_m2"] == pytest.approx(800)
    assert park["homes"] == 0
    assert pd.isna(park["floor_area_ratio_pct"])
    assert pd.isna(park["floors_limit"])
    assert blocks.index.str.startswith("C-1-").sum() == 2
    assert blocks.loc[blocks["land_use"] == "알 수 없음"].index.str.startswith("block-").all()
    judged = layer.features.assign(use_class="other", block_status="new", built_share_pct=0.0)
    assert LAYERS["plan_blocks"].problems(LAYERS["plan_blocks"].finish(judged), area.crs) == []


def test_adjoining_pieces_become_one_shape(area, box, raw_layer) -> None:
    layer = clean_plan_blocks(
        [
            raw_layer(
                "plan_blocks",
                [box(0, 0, 20, 20), box(20, 0, 20, 20)],
                block_id=["A", "A"],
                land_use=["공원", "공원"],
                homes=[7, 7],
            )
        ],
        area,
    )
    assert shapely.equals(layer.features.geometry[0], box(0, 0, 40, 20))
    assert layer.features["homes"].tolist() == [7]


def test_district_boundary(box, raw_layer) -> None:
    two = raw_layer("district", [box(0, 0, 10, 10), box(10, 0, 10, 10), None])
    assert shapely.equals(district_boundary([two]), box(0, 0, 20, 10))
    with pytest.raises(InputError, match="no usable polygon"):
        district_boundary([raw_layer("district", [shapely.Point(190_000, 540_000)])])
