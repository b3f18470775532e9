"""The shortlist of a release: ranks that follow from the published parts of the score, and a card for each site."""

from __future__ import annotations

import numpy as np
import pyogrio
import pytest

from geodata.parameters import load_parameters


@pytest.mark.parametrize("scenario", ["existing", "planned"])
def test_ranks_follow_from_the_published_scores_and_weights(town, scenario):
    package = town.latest / scenario / "twin.gpkg"
    listed = pyogrio.read_dataframe(package, layer="shortlist").sort_values("site_rank")
    assert 1 <= len(listed) <= 50
    assert listed["site_rank"].tolist() == list(range(1, len(listed) + 1))
    weights = load_parameters("twin.shortlist", "weights.yaml")["weights"]
    parts = listed[[f"{name}_score" for name in weights]].to_numpy("float64")
    shares = np.array(list(weights.values())) * np.isfinite(parts)
    expected = (np.nan_to_num(parts) * shares).sum(axis=1) / shares.sum(axis=1)
    # four published decimals
    assert np.abs(listed["score"].to_numpy() - expected).max() < 2e-4
    assert (np.diff(listed["score"]) <= 1e-4).all()
    # a roof tells what its building tells
    buildings = pyogrio.read_dataframe(package, layer="buildings").set_index("building_id")
    roofs = listed[listed["site_kind"] != "parking"].set_index("site_id")
    for name in ("yield_kwh", "capacity_kwp", "lcoe_krw_kwh", "npv_krw", "avoided_tco2"):
        assert roofs[name].equals(buildings.loc[roofs.index, name]), name
    page = (town.latest / "shortlist" / f"{scenario}.html").read_text(encoding="utf-8")
    assert page.count("<article") == len(listed)
    assert "가상 데이터" in page and "http" not in page
