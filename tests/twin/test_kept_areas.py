"""Areas that are kept are those of a new cut, as long as no shape changes; an edit of any shape cuts anew."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from tests.kept import Kept
from twin.comparison import kept_cover
from twin.kept_areas import kept_areas
from twin.overlay import shared_areas


def shapes(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(0, 100, (2, 40))
    return shapely.box(x, y, x + 20, y + 15)


def test_areas_are_kept_until_a_shape_changes(tmp_path):
    keep = Kept(tmp_path)
    features, polygons = shapes(1), shapes(2)
    polygons[3] = None
    for made in (1, 0):
        found = kept_areas(features, polygons, keep, "areas")
        for kept, cut in zip(found, shared_areas(features, polygons), strict=True):
            np.testing.assert_array_equal(kept, cut)
        assert len(keep.taken()) == made
    moved = polygons.copy()
    moved[7] = shapely.transform(moved[7], lambda xy: xy + 1e-9)
    for one, other in ((features, moved), (features[::-1], polygons), (features, polygons[:-1])):
        found = kept_areas(one, other, keep, "areas")
        for kept, cut in zip(found, shared_areas(one, other), strict=True):
            np.testing.assert_array_equal(kept, cut)
        assert len(keep.taken()) == 1
    assert [len(part) for part in kept_areas(features, polygons, None, "areas")] == [
        len(p) for p in shared_areas(features, polygons)
    ]


def test_the_cover_of_blocks_is_kept_by_outlines_keys_and_sources(tmp_path):
    keep = Kept(tmp_path)
    blocks = gpd.GeoDataFrame(
        {"block_id": ["A", "B"]}, geometry=[shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)], crs="EPSG:5186"
    )
    table = pd.DataFrame(
        {"green_area_m2": [0.1 + 0.2, np.nan], "cover_confidence": ["high", None], "count": pd.array([1, None], dtype="Int64")},
        index=pd.Index(["A", "B"], name="block_id"),
    )  # fmt: skip
    for made in (1, 0):
        pd.testing.assert_frame_equal(
            kept_cover(blocks, keep, "cover", {"green": "a"}, lambda: table), table, check_exact=True
        )
        assert len(keep.taken()) == made
    other = table.assign(green_area_m2=5.0)
    renamed, moved = blocks.assign(block_id=["A", "C"]), blocks.set_geometry(blocks.translate(0.5, 0))
    for changed, sources in ((blocks, {"green": "b"}), (renamed, {"green": "a"}), (moved, {"green": "a"})):
        pd.testing.assert_frame_equal(
            kept_cover(changed, keep, "cover", sources, lambda: other), other, check_exact=True
        )
        assert len(keep.taken()) == 1
