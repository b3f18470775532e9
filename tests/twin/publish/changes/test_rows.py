"""Only rows that two files do not hold alike are read, and what is told of them is what is told of all rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyogrio
import pytest

from geodata.catalogue import LAYERS
from twin.publish.changes.compare import compare_layer
from twin.publish.changes.rows import read_differing
from twin.publish.geopackage import write_geopackage


@pytest.fixture
def pair(layers, about, tmp_path) -> tuple[Path, Path]:
    """One parcel gone, a new one before all others, three buildings edited in three ways, one no longer known in a column."""
    after = {name: frame.copy() for name, frame in layers.items()}
    parcels = after["parcels"]
    new = parcels.iloc[[0]].assign(pnu="4121010700100990000")
    after["parcels"] = LAYERS["parcels"].finish(pd.concat([new, parcels.drop(index=5)], ignore_index=True))
    houses = after["buildings"]
    houses.loc[3, "height"] += 2.5
    houses.loc[4, "floors_above"] = pd.NA
    houses.loc[[6], "geometry"] = houses.geometry[[6]].translate(3.0, 0.0)
    houses.loc[8, "approved_on"] = pd.NaT
    paths = []
    for name, frames in (("before", layers), ("after", after)):
        (tmp_path / name).mkdir()
        paths.append(tmp_path / name / "twin.gpkg")
        write_geopackage(paths[-1], frames, about)
    return paths[0], paths[1]


def test_the_same_is_told_of_the_differing_rows_as_of_all(pair, layers):
    for name in layers:
        whole = [pyogrio.read_dataframe(path, layer=name) for path in pair]
        expected = compare_layer(LAYERS[name], *whole)
        found = compare_layer(LAYERS[name], *read_differing(LAYERS[name], *pair))
        assert (found.added, found.removed, found.altered) == (expected.added, expected.removed, expected.altered)
        assert (found.fields_gone, found.fields_new) == (expected.fields_gone, expected.fields_new)
        assert len(found.features) == len(expected.features)
        if len(expected.features):
            pd.testing.assert_frame_equal(found.features, expected.features, check_exact=True)
            pd.testing.assert_frame_equal(found.values, expected.values, check_exact=True)


def test_few_rows_are_read(pair, layers):
    before, after = read_differing(LAYERS["buildings"], *pair)
    assert before["building_id"].tolist() == layers["buildings"]["building_id"].iloc[[3, 4, 6, 8]].tolist()
    assert after["building_id"].tolist() == before["building_id"].tolist()
    before, after = read_differing(LAYERS["parcels"], *pair)
    assert (len(before), len(after)) == (1, 1)
    assert before["pnu"].iloc[0] == layers["parcels"]["pnu"].iloc[5]
    before, after = read_differing(LAYERS["roofs"], *pair)
    assert (len(before), len(after)) == (0, 0)
    assert set(layers["roofs"].columns) <= set(before.columns)
    whole = read_differing(LAYERS["quality"], *pair)
    assert [len(frame) for frame in whole] == [len(layers["quality"])] * 2


def test_a_key_that_stands_twice_has_all_rows_read(pair, layers):
    twice = LAYERS["buildings"].model_copy(update={"key": "dong_code"})
    assert layers["buildings"]["dong_code"].duplicated().any()
    before, after = read_differing(twice, *pair)
    assert len(before) == len(after) == len(layers["buildings"])


def test_a_number_that_was_none_differs_from_one_that_is(pair, layers):
    _, after = read_differing(LAYERS["buildings"], *pair)
    assert np.isnan(after.set_index("building_id").loc[layers["buildings"]["building_id"].iloc[4], "floors_above"])
