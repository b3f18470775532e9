from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from geodata.heights import estimate_heights, height_parameters
from geodata.parameters import Parameters


@pytest.fixture(scope="module")
def parameters() -> Parameters:
    return height_parameters()


def ladder(parameters, height, floors, *, use=None, x=None, footprint=None) -> pd.DataFrame:
    count = len(height)
    return estimate_heights(
        height_m=pd.Series(height, dtype="float64"),
        floors_above=pd.Series(floors, dtype="float64"),
        use_code=pd.Series(use if use is not None else [None] * count, dtype="str"),
        points=np.column_stack(
            [np.asarray(x if x is not None else np.arange(count) * 1e4, dtype=float), np.zeros(count)]
        ),
        footprint_m2=np.asarray(footprint if footprint is not None else [100.0] * count, dtype=float),
        parameters=parameters,
    )


NOTHING = np.nan


@pytest.mark.parametrize(
    ("record", "expected", "source", "strange"),
    [
        ((25, 7, "14000"), 25, "recorded", False),
        ((16, 2, "05000"), 16, "recorded", False),  # an assembly hall
        ((18, 1, "18000"), 18, "recorded", False),  # a warehouse of one tall storey
        ((18, 1, "01000"), 3.5, "floors", True),  # a detached house of one storey is not 18 m high
        ((5, 15, "14000"), 15 * 3.7, "floors", True),  # a third of a metre per storey
        ((264, 69, "02000"), 264, "recorded", False),  # a tower, borne out by its floors
        ((264, NOTHING, "02000"), 3.0, "default", True),  # the same without floors
        ((60, NOTHING, None), 60, "recorded", False),
        ((1.2, NOTHING, None), 3.0, "default", True),  # lower than a storey
        ((0, 5, "02001"), 15.0, "floors", False),  # zero is no height
        ((-1, 5, "02001"), 15.0, "floors", False),
        ((9999, 5, "02001"), 15.0, "floors", False),
        ((0, 0, "17000"), 6.0, "default", False),
        ((0, 3, "99999"), 9.0, "floors", False),  # an unknown use: 3 m per storey
        ((0, 3, None), 9.0, "floors", False),
    ],
)
def test_rungs(parameters, record, expected, source, strange) -> None:
    height, floors, use = record
    found = ladder(parameters, [height], [floors], use=[use]).iloc[0]
    assert found["height"] == pytest.approx(expected)
    assert found["height_source"] == source
    assert found["height_implausible"] == strange


@pytest.mark.parametrize("floors", [350, 2.5])
def test_impossible_floors_are_told_and_not_used(parameters, floors) -> None:
    found = ladder(parameters, [0], [floors], use=["01000"]).iloc[0]
    assert found["floors_implausible"]
    assert pd.isna(found["floors_above"])
    assert found["height_source"] == "default"


def test_neighbours_give_their_median(parameters) -> None:
    # known heights 6, 9, 30 at 10, 20, 30 m; the building at 0 knows nothing; the one at 5,000 m has no neighbours
    found = ladder(parameters, [0, 6, 9, 30, 0], [0, 2, 3, 10, 0], x=[0, 10, 20, 30, 5000])
    assert found["height"].tolist()[0] == 9
    assert found["height_source"].tolist() == ["neighbours", "recorded", "recorded", "recorded", "default"]


def test_two_neighbours_are_too_few(parameters) -> None:
    found = ladder(parameters, [0, 6, 9], [0, 2, 3], x=[0, 10, 20])
    assert found["height_source"][0] == "default"


def test_a_shed_does_not_inherit_the_towers_height(parameters) -> None:
    # four towers of 900 m2 around a guard house of 12 m2: ln(75) x 100 m = 432 m "away"
    found = ladder(
        parameters,
        [0, 60, 60, 60, 60],
        [0, 20, 20, 20, 20],
        use=["02000"] * 5,
        x=[0, 20, 30, 40, 50],
        footprint=[12, 900, 900, 900, 900],
    )
    assert found["height_source"][0] == "default"
    assert found["height"][0] == 3.0


def test_order_of_the_buildings_does_not_matter(parameters) -> None:
    rng = np.random.default_rng(7)
    count = 400
    height = np.where(rng.random(count) < 0.5, rng.integers(3, 60, count), 0).astype(float)
    x = rng.integers(0, 40, count) * 10.0  # many equal places, so that ties occur
    size = rng.choice([80.0, 100.0, 200.0], count)
    straight = ladder(parameters, height, [0] * count, x=x, footprint=size)
    order = rng.permutation(count)
    shuffled = ladder(parameters, height[order], [0] * count, x=x[order], footprint=size[order])
    assert (straight["height_source"] == "neighbours").sum() > 100
    assert straight["height"].to_numpy()[order].tolist() == shuffled["height"].tolist()


def test_every_parameter_names_its_source(parameters) -> None:
    assert all(parameters.record(name).source for name in parameters)
