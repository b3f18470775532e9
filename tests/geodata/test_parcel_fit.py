from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely

from geodata.clean.parcel_fit import border_gaps, overlapping
from geodata.clean.parcels import clean_parcels

GWANGMYEONG, SIHEUNG = "4121010500{:09d}", "4139011200{:09d}"


def lots(box, x: float, y0: float = 0.0, count: int = 5, width: float = 20.0) -> list:
    return [box(x, y0 + 20 * i, width, 20) for i in range(count)]


def test_overlaps_and_gaps_at_a_city_border_are_told_and_left(area, box, raw_layer) -> None:
    # five lots of each town; the second town's sheet is drawn 3 m too far west for the first two, 4 m too far east for the rest
    west = lots(box, 0)
    east = [box(17, 0, 20, 20), box(17, 20, 20, 20), box(24, 40, 20, 20), box(24, 60, 20, 20), box(24, 80, 20, 20)]
    pnu = [GWANGMYEONG.format(100010000 + i) for i in range(5)] + [SIHEUNG.format(100010000 + i) for i in range(5)]
    layer = clean_parcels([raw_layer("parcels", [*west, *east], pnu=pnu)], area)
    assert layer.features.set_index("pnu").geometry.area.tolist() == [400.0] * 10
    told = layer.quality.set_index("reason")
    overlaps = told.loc[["parcels_overlap"]]
    assert overlaps["key"].tolist() == pnu[:2]
    assert overlaps["detail"].tolist() == [f"with {other}: 60.0 m2 (municipal border)" for other in pnu[5:7]]
    gap = told.loc["border_gap"]
    assert (gap["key"], gap["detail"]) == ("41210-41390", "240.0 m2 in 1 places")
    assert shapely.within(gap.geometry, box(20, 40, 4, 60))
    assert layer.measures == {
        "overlap_pairs": 2,
        "overlap_m2": 120.0,
        "border_overlap_m2": 120.0,
        "border_gap_m2": 240.0,
    }


def test_lots_that_fit_have_neither(area, box, raw_layer) -> None:
    pnu = [GWANGMYEONG.format(100010000 + i) for i in range(5)] + [SIHEUNG.format(100010000 + i) for i in range(5)]
    layer = clean_parcels([raw_layer("parcels", [*lots(box, 0), *lots(box, 20)], pnu=pnu)], area)
    assert len(layer.quality) == 0
    assert layer.measures == {"overlap_pairs": 0, "overlap_m2": 0.0, "border_overlap_m2": 0.0, "border_gap_m2": 0.0}


@pytest.mark.parametrize(("distance", "gap"), [(0.004, 0.0), (2.0, 200.0), (14.9, 1490.0), (15.1, 0.0), (40.0, 0.0)])
def test_only_narrow_strips_are_gaps_of_drawing(box, distance, gap) -> None:
    shapes = np.array([box(0, 0, 20, 100), box(20 + distance, 0, 20, 100)], dtype=object)
    found = border_gaps(shapes, pd.Series(["41210", "41390"]))
    assert found["area_m2"].sum() == pytest.approx(gap, rel=1e-3)


def test_ground_under_a_third_lot_is_no_gap(box) -> None:
    road = box(20, 0, 4, 60)
    shapes = np.array([box(0, 0, 20, 100), road, box(24, 0, 20, 100)], dtype=object)
    found = border_gaps(shapes, pd.Series(["41210", "41210", "41390"]))
    assert found["area_m2"].sum() == pytest.approx(160.0, rel=1e-3)


def test_overlaps_by_hand(box) -> None:
    shapes = np.array([box(0, 0, 10, 10), box(9, 0, 10, 10), box(9.95, 10, 5, 5), box(100, 0, 5, 5)], dtype=object)
    pairs = overlapping(shapes)
    assert pairs[["left", "right", "area_m2"]].values.tolist() == [[0, 1, 10.0]]
    assert overlapping(shapes[:0]).empty
