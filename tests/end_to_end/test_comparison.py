"""comparison.gpkg of the demo town, worked out again from the two published GeoPackages beside it."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from geodata.catalogue import COMPARISON_LAYERS
from twin.publish.validate import validate_geopackage

SUMMED = {
    "building_footprint_m2": "footprint_area_m2",
    **{name: name for name in ("floor_area_m2", "capacity_kwp", "yield_kwh", "demand_kwh", "avoided_tco2")},
}


def layer(town, file: str, name: str) -> gpd.GeoDataFrame:
    return gpd.read_file(town.latest / file, layer=name)


@pytest.fixture(scope="module")
def by_district(town) -> pd.DataFrame:
    return layer(town, "comparison.gpkg", "comparison_districts").set_index("dong_code")


@pytest.fixture(scope="module")
def by_block(town) -> gpd.GeoDataFrame:
    return layer(town, "comparison.gpkg", "comparison_blocks").set_index("block_id")


def test_it_is_valid_and_tells_of_its_inputs(town, by_district, by_block):
    assert validate_geopackage(town.latest / "comparison.gpkg", COMPARISON_LAYERS) == []
    assert set(by_district["scenario"]) == set(by_block["scenario"]) == {"planned"}
    told = layer(town, "comparison.gpkg", "run_info")
    assert set(told.loc[told["name"] == "scenario", "value"]) == {"existing", "planned"}
    assert (told["topic"] == "input file").sum() == len(list(town.workplace.site.inbox.iterdir()))


def test_districts_hold_the_difference_of_what_both_publish(town, by_district):
    sides = {
        name: layer(town, f"{name}/twin.gpkg", "districts").set_index("dong_code") for name in ("existing", "planned")
    }
    before, after = (side.reindex(by_district.index) for side in sides.values())
    numbers = [n for n in before.columns.intersection(after.columns) if pd.api.types.is_numeric_dtype(before[n])]
    compared = [n.removesuffix("_change") for n in by_district.columns if n.endswith("_change")]
    # nothing that both tell in numbers is left out, but the shape, a rule and the fineness of the sources; and the biotope
    # area ratio, whose change a plan publishes itself
    left_out = {name for name in set(numbers) - set(compared) if not name.startswith("biotope_")}
    assert left_out <= {"area_m2", "park_standard_per_resident_m2", "cover_resolution_m"}
    assert {"yield_kwh", "demand_kwh", "pooled_peak_import_kw", "avoided_tco2", "green_area_m2"} <= set(compared)
    for name in compared:
        for side, values in (
            ("existing", before[name]),
            ("planned", after[name]),
            ("change", after[name] - before[name]),
        ):
            told = by_district[f"{name}_{side}"].to_numpy("float64")
            assert told == pytest.approx(values.to_numpy("float64"), abs=1e-5, nan_ok=True), (name, side)
    assert by_district["yield_kwh_change"].abs().max() > 0


def test_blocks_hold_todays_buildings_and_green_inside_their_outline(town, by_block):
    houses, green = (layer(town, "existing/twin.gpkg", name) for name in ("buildings", "green"))
    outlines = by_block[["geometry"]].reset_index()
    inside = (
        houses.drop(columns="block_id").set_geometry(houses.representative_point()).sjoin(outlines, predicate="within")
    )
    sums = inside.groupby("block_id").agg(count=("building_id", "size"), **{k: (v, "sum") for k, v in SUMMED.items()})
    sums = sums.reindex(by_block.index, fill_value=0)
    assert by_block["building_count_existing"].tolist() == sums["count"].tolist()
    for name in SUMMED:
        assert by_block[f"{name}_existing"].to_numpy() == pytest.approx(sums[name].to_numpy(), abs=0.51, rel=1e-6), name
    pieces = outlines.overlay(green[["geometry"]], how="intersection", keep_geom_type=True)
    covered = pieces.area.groupby(pieces["block_id"]).sum().reindex(by_block.index, fill_value=0.0)
    assert by_block["green_area_m2_existing"].to_numpy() == pytest.approx(covered.to_numpy(), abs=0.06)
    share = 100 * covered / outlines.set_index("block_id").area
    assert by_block["green_cover_pct_existing"].to_numpy() == pytest.approx(share.to_numpy(), abs=0.006)


def test_blocks_hold_what_the_plan_publishes_of_them(town, by_block):
    planned = layer(town, "planned/twin.gpkg", "plan_blocks").set_index("block_id").loc[by_block.index]
    for column in (name for name in by_block.columns if name.endswith("_change")):
        name = column.removesuffix("_change")
        told, before, after = (
            by_block[f"{name}_{side}"].to_numpy("float64") for side in ("change", "existing", "planned")
        )
        assert after == pytest.approx(planned[name].to_numpy("float64"), abs=1e-5, nan_ok=True), name
        assert told == pytest.approx(after - before, abs=1e-5, nan_ok=True), name


def test_what_changes_in_the_town_changes_in_its_blocks(by_district, by_block):
    """A plan builds, clears, plants and fells inside its blocks alone, so that both layers sum to one change."""
    dongs = by_district[by_district["kind"] == "legal_dong"]
    for name, rounding in (("building_count", 0.0), ("building_footprint_m2", 0.05), ("green_area_m2", 0.05)):
        columns = [f"{name}_existing", f"{name}_planned"]
        slack = 2 * rounding * (len(dongs) + len(by_block))
        change = [float(np.diff(rows[columns].sum()).item()) for rows in (dongs, by_block)]
        assert change[0] == pytest.approx(change[1], abs=slack + 1e-6), name
        assert change[0] != 0, name
