"""Floor area: as recorded where it can be meant, else by floors, else by height."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely

from twin.scenario.floor_area import floor_areas


def test_each_source_by_hand(houses):
    frame = houses(*((name, shapely.box(0, 0, 10, 10), 3) for name in "abcde"))
    frame["gross_floor_area_m2"] = [280.0, 600.0, 601.0, np.nan, 0.0]
    found = floor_areas(frame)
    # 100 m2 on 3 floors; up to twice that is believed, more belongs to the whole lot, and zero says nothing
    assert found["floor_area_m2"].tolist() == [280.0, 600.0, 300.0, 300.0, 300.0]
    assert found["floor_area_source"].tolist() == ["recorded", "recorded", "floors", "floors", "floors"]


def test_a_cellar_lets_more_be_believed(houses):
    frame = houses(("a", shapely.box(0, 0, 10, 10), 1))
    frame["floors_below"] = pd.array([1], dtype="Int64")
    frame["gross_floor_area_m2"] = [400.0]
    assert floor_areas(frame)["floor_area_source"].tolist() == ["recorded"]


@pytest.mark.parametrize(("height", "floors"), [(9.0, 3), (1.0, 1)])
def test_without_floors_the_height_tells_them(houses, height, floors):
    frame = houses(("a", shapely.box(0, 0, 10, 10), None)).assign(height=height)
    found = floor_areas(frame)
    assert found["floor_area_m2"].tolist() == [100.0 * floors]
    assert found["floor_area_source"].tolist() == ["height"]
