"""The whole way on the demo town, held against what its maker planted."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3

import numpy as np
import pandas as pd
import pyogrio
import pystac
import pystac.validation
import pytest
import rasterio

from geodata.catalogue import LAYERS
from twin.publish.validate import validate_geopackage


def read(town, layer: str) -> pd.DataFrame:
    return pyogrio.read_dataframe(town.geopackage, layer=layer)


def account(town, source: str) -> dict[str, int]:
    accounts = json.loads((town.latest / "manifest.json").read_text(encoding="utf-8"))["content"]["accounts"]
    return next({k: v for k, v in a.items() if k != "source"} for a in accounts if a["source"] == source)


def test_a_release_came_out(town):
    assert town.outcome.release["published"]
    assert town.latest.resolve().name == town.outcome.release["id"]
    assert validate_geopackage(town.geopackage) == []


def test_every_layer_is_there_and_holds_what_the_catalogue_declares(town):
    held = {name for name, _ in pyogrio.list_layers(town.geopackage)}
    expected = {name for name, layer in LAYERS.items() if not layer.planned_only}
    assert expected <= held
    for name in expected:
        frame = read(town, name)
        assert set(frame.columns) - {"geometry"} <= set(LAYERS[name].names)
        assert len(frame) > 0


def test_parcels_end_as_the_maker_planted_them(town, truth):
    planted, found = truth["parcels"], account(town, "parcels")
    assert found["read"] == planted["rows"]
    assert found["outside"] == planted["rows_outside"]
    assert found["published"] == planted["published"]
    assert found["merged"] == planted["exact_duplicate_rows"] + planted["multi_row_rows"] - planted["multi_row_pnus"]
    assert found["reasoned"] == planted["no_geometry"] + planted["pnu_missing"] + planted["pnu_malformed"]
    parcels = read(town, "parcels")
    assert (parcels["source_rows"] > 1).sum() >= planted["multi_row_pnus"]


def test_buildings_end_as_the_maker_planted_them(town, truth):
    planted, found = truth["buildings"], account(town, "buildings")
    assert found["read"] == planted["rows"]
    assert found["outside"] == planted["rows_outside"]
    assert found["published"] == planted["published"]
    assert found["merged"] == planted["exact_duplicate_rows"]
    assert found["reasoned"] == planted["no_geometry"]


def test_each_planted_defect_leaves_its_reason(town, truth):
    counts = read(town, "quality").groupby(["source", "reason"]).size()
    buildings, parcels = truth["buildings"], truth["parcels"]
    for reason in ("no_geometry", "height_implausible", "floors_implausible", "footprint_tiny"):
        assert counts["buildings", reason] == buildings[reason], reason
    assert counts["buildings", "exact_duplicate"] == buildings["exact_duplicate_rows"]
    assert counts["buildings", "geometry_repaired"] == buildings["bow_ties"]
    assert counts["parcels", "geometry_repaired"] == parcels["bow_ties"]
    assert counts["parcels", "pnu_built"] == parcels["pnu_missing_buildable"]
    assert counts["parcels", "pnu_malformed"] == parcels["pnu_malformed"]
    assert counts["land_cover", "code_unknown"] == truth["land_cover"]["code_unknown"]
    assert counts["parks", "coordinates_out_of_range"] == truth["parks"]["coordinates_out_of_range"]
    assert counts["parks", "text_damaged"] == truth["parks"]["name_damaged"]


def test_heights_come_from_where_the_maker_left_them(town, truth):
    sources = read(town, "buildings")["height_source"].value_counts()
    assert sources["recorded"] == truth["buildings"]["height_plausible"]
    assert sources.sum() == truth["buildings"]["published"]


def test_parks_arrive_from_another_crs(town, truth):
    parks = read(town, "parks")
    assert len(parks) == truth["parks"]["published"]
    # a name that was damaged before it came here is left out, not shown as rubbish
    assert parks["name"].isna().sum() == truth["parks"]["name_damaged"]
    assert parks["name"].dropna().str.startswith("가상 제").all()
    assert (parks["status"] == "built").sum() == truth["parks"]["built"]
    # the agency ships EPSG:5174; its definition and ours agree to centimetres
    assert parks["area_m2"].sum() == pytest.approx(truth["parks"]["area_inside_m2"], rel=1e-3)


def test_people_walk_on_the_streets_that_the_maker_drew(town, truth):
    planted, roads = truth["park_entrances"], truth["roads"]
    found = account(town, "roads")
    assert (found["read"], found["published"], found["merged"]) == (
        roads["rows"], roads["published"], roads["exact_duplicate_rows"],
    )  # fmt: skip
    found = account(town, "park_entrances")
    assert (found["read"], found["merged"], found["reasoned"]) == (planted["rows"], planted["exact_duplicate_rows"], 0)
    for scenario, source in (("existing", "roads"), ("planned", "plan")):
        homes = pyogrio.read_dataframe(town.latest / scenario / "twin.gpkg", layer="buildings")
        homes = homes[homes["residents"].notna()]
        assert set(homes["network_source"]) == {source}
        known = homes[homes["park_distance_m"].notna()]
        assert len(known) > 0.98 * len(homes)
        assert (known["park_distance_m"] >= known["park_straight_m"]).all()
        far = known[known["park_straight_m"] >= 100]
        # detours in towns with gates and blocks are 1.2 to 1.6; a fence on the near side makes some longer
        assert 1.2 < far["park_distance_m"].sum() / far["park_straight_m"].sum() < 1.7
        parks = pyogrio.read_dataframe(town.latest / scenario / "twin.gpkg", layer="parks")
        assert (parks["entrance_source"] == "surveyed").sum() == planted["parks_surveyed"]
        reasons = pyogrio.read_dataframe(town.latest / scenario / "twin.gpkg", layer="quality")["reason"]
        assert (reasons == "entrance_without_park").sum() == planted["without_park"]


def test_bus_stops_are_published_with_their_shade(town, truth):
    planted = truth["bus_stops"]
    found = account(town, "bus_stops")
    assert (found["read"], found["outside"], found["published"], found["merged"]) == (
        planted["rows"], planted["rows_outside"], planted["published"], planted["exact_duplicate_rows"],
    )  # fmt: skip
    stops, districts = read(town, "bus_stops"), read(town, "districts")
    assert len(stops) == planted["published"]
    assert stops["stop_shade_h"].between(0, 14.5).all()
    dongs = districts[districts["kind"] == "legal_dong"]
    assert dongs["bus_stop_count"].sum() == len(stops)
    mean = stops.groupby("dong_code")["stop_shade_h"].mean()
    told = dongs.set_index("dong_code")["stop_shade_h"].dropna()
    # both are rounded to a tenth
    np.testing.assert_allclose(told, mean[told.index], atol=0.1)
    planned = pyogrio.read_dataframe(town.latest / "planned" / "twin.gpkg", layer="bus_stops")
    assert set(planned["stop_id"]) <= set(stops["stop_id"])


def test_cover_classes_sum_to_the_parcel(town):
    parcels = read(town, "parcels")
    classes = parcels[[c for c in parcels.columns if c.startswith("cover_") and c.endswith("_m2")]]
    # eight classes, each rounded to 0.1 m2
    assert (classes.sum(axis=1) - parcels["area_m2"]).abs().max() <= 8 * 0.05 + 0.05
    assert parcels["green_cover_pct"].between(0, 100).all()


def test_sums_agree_from_roof_to_district(town):
    roofs, buildings, dongs = read(town, "roofs"), read(town, "buildings"), read(town, "districts")
    dongs = dongs[dongs["kind"] == "legal_dong"]
    assert dongs["building_count"].sum() == len(buildings)
    assert buildings["yield_kwh"].sum() == pytest.approx(roofs["yield_kwh"].sum(), abs=0.55 * len(buildings))
    assert dongs["yield_kwh"].sum() == pytest.approx(buildings["yield_kwh"].sum(), abs=0.5 * len(dongs) + 0.5)
    months = roofs[[f"yield_{m:02d}_kwh" for m in range(1, 13)]].sum(axis=1)
    assert (months - roofs["yield_kwh"]).abs().max() <= 12 * 0.05 + 0.06


def test_hourly_table_sums_to_the_year(town):
    hourly = pd.read_parquet(town.latest / "tables" / "existing_hourly_by_dong.parquet")
    assert len(hourly) == 8760
    assert hourly.drop(columns="interval_middle").to_numpy().sum() == pytest.approx(
        read(town, "roofs")["yield_kwh"].sum(), rel=1e-5
    )


def test_the_year_reaches_the_station_normal(town):
    info = read(town, "run_info").set_index(["topic", "name"])["value"]
    assert float(info["resource", "ghi_kwh_m2"]) == pytest.approx(1327.0, abs=0.05)


def title_of(run, layer: str, column: str) -> str:
    with sqlite3.connect(f"file:{run.geopackage}?mode=ro&immutable=1", uri=True) as db:
        query = "SELECT title FROM gpkg_data_columns WHERE table_name = ? AND column_name = ?"
        return db.execute(query, (layer, column)).fetchone()[0]


def test_titles_say_demo(town):
    with sqlite3.connect(f"file:{town.geopackage}?mode=ro&immutable=1", uri=True) as db:
        rows = db.execute("SELECT identifier FROM gpkg_contents WHERE table_name IN ('roofs', 'parcels')").fetchall()
    assert all("가상 데이터" in text for (text,) in rows)


def test_shading_is_computed_and_within_physics(town):
    roofs = read(town, "roofs")
    assert roofs["sky_view"].between(0, 1).all()
    assert roofs["shading_loss_pct"].between(0, 100).all()
    # somebody stands in somebody's light, and most roofs of a town are mostly free
    assert roofs["shading_loss_pct"].max() > 10
    assert roofs["shading_loss_pct"].median() < 10
    # a lower sky means less light: the two are computed from one skyline but by different sums
    assert roofs["sky_view"].corr(roofs["shading_loss_pct"]) < -0.5
    assert "음영 미반영" not in title_of(town, "roofs", "yield_kwh")


def test_without_terrain_nothing_is_shaded_and_labels_say_so(own_small, run_site):
    site_file, folder = own_small
    (site_file.parent / "inbox" / "DEM_5m.img").unlink()
    run = run_site(site_file, folder)
    assert run.outcome.succeeded, run.outcome.reasons
    roofs = pyogrio.read_dataframe(run.geopackage, layer="roofs")
    assert not {"sky_view", "shading_loss_pct"} & set(roofs.columns)
    assert "음영 미반영" in title_of(run, "roofs", "yield_kwh")
    assert "음영 미반영" in title_of(run, "districts", "yield_kwh")
    assert "altitude" not in pyogrio.read_info(run.geopackage, layer="buildings")["fields"]


def test_every_input_file_is_named_with_its_hash(town, demo_site):
    info = read(town, "run_info")
    inputs = info[info["topic"] == "input file"].set_index("name")["value"]
    for path in sorted((demo_site.parent / "inbox").iterdir()):
        assert inputs[path.name] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_rasters_of_the_sky_lie_beside_it(town):
    names = {path.name for path in (town.latest / "rasters").glob("*.tif")}
    assert names == {
        f"{scenario}_{name}.tif"
        for scenario in ("existing", "planned")
        for name in ("sky_view", "shade_hours_summer", "shade_hours_year", "irradiation_kwh_m2")
    }
    with rasterio.open(town.latest / "rasters" / "existing_irradiation_kwh_m2.tif") as source:
        assert source.crs == "EPSG:5186"
        assert source.overviews(1)
        light = source.read(1, masked=True) * source.scales[0] + source.offsets[0]
    # open ground receives the year's global irradiation, and nothing on the level receives more
    assert light.max() == pytest.approx(1327, rel=0.01)
    assert light.min() >= 0
    with rasterio.open(town.latest / "rasters" / "existing_sky_view.tif") as source:
        view = source.read(1, masked=True) * source.scales[0] + source.offsets[0]
    assert 0 <= view.min() < view.max() <= 1.0


def test_modules_are_whole_and_fit_on_their_roof(town):
    roofs = read(town, "roofs")
    with_modules = roofs[roofs["module_count"] > 0]
    # twin/solar/roofs.yaml: a module is 1.722 m by 1.134 m and 430 W
    assert (with_modules["capacity_kwp"] - with_modules["module_count"] * 0.430).abs().max() < 0.001
    assert (with_modules["module_count"] * 1.722 * 1.134 <= with_modules["area_m2"] * 0.70 + 0.1).all()


def test_the_catalogue_names_every_file_in_korean(town):
    """Read by pystac, wherever the release lies; tiles and the like belong to an entry of their own."""
    catalogue = pystac.Catalog.from_file(str(town.latest / "catalog.json"))
    held = json.loads((town.latest / "manifest.json").read_text(encoding="utf-8"))["files"]
    seen = {}
    for owner in [*catalogue.get_children(), *catalogue.get_items(recursive=True)]:
        assert pystac.validation.validate_dict(owner.to_dict(), extensions=[])
        for name, asset in owner.assets.items():
            assert asset.extra_fields["file:checksum"] == f"1220{held[name]['sha256']}"
            assert re.search("[가-힣]", asset.title), name
            assert asset.media_type != "application/octet-stream", name
            seen[name] = asset
    left = {name for name in held if name not in seen and not name.startswith(("stac/", "city3d/", "web/"))}
    assert left == {"catalog.json"}
    assert {"existing/twin.gpkg", "planned/twin.gpkg", "town.qgz", "report.html"} <= set(seen)


def test_the_web_page_is_whole_and_small(town):
    """Every lot and building of both scenarios is in a tile; 15 MB is what a town of this size may weigh."""
    page = town.latest / "web"
    assert sum(path.stat().st_size for path in page.rglob("*") if path.is_file()) < 15e6
    assert (page / "index.html").exists()
    for scenario in ("existing", "planned"):
        tiles = "".join(p.read_text(encoding="utf-8") for p in sorted((page / "data" / scenario).glob("[0-9]*.js")))
        package = town.latest / scenario / "twin.gpkg"
        buildings = pyogrio.read_dataframe(package, layer="buildings", columns=["building_id"], read_geometry=False)
        parcels = pyogrio.read_dataframe(package, layer="parcels", columns=["pnu"], read_geometry=False)
        assert all(f'"{key}"' in tiles for key in buildings["building_id"])
        index = (page / "data" / scenario / "index.js").read_text(encoding="utf-8")
        assert all(f'["{pnu}"' in index for pnu in parcels["pnu"])


def test_the_carbon_path_reaches_the_targets_of_the_site_file(town):
    path = read(town, "carbon_path").set_index("year")
    assert path.index.tolist() == list(range(2027, 2051))
    assert path["built_pct"].loc[[2035, 2050]].tolist() == [100, 100]
    # site file: 40 % of 35,000 t by 2030, all of it by 2050
    assert path["target_reduction_tco2"].loc[[2030, 2050]].tolist() == [14_000, 35_000]
    # the newest published factor is 0.4173 t/MWh, and a roof of 2035 has run for half a year then
    full = read(town, "districts").query("kind == 'district'")["yield_kwh"].item()
    assert 0.9 * full * 0.4173e-3 < path.loc[2036, "avoided_held_tco2"] < full * 0.4173e-3
    assert (
        path["share_of_target_pct"] - 100 * path["avoided_held_tco2"] / path["target_reduction_tco2"]
    ).abs().max() < 0.01
    report = (town.latest / "report.html").read_text(encoding="utf-8")
    assert (
        'data-layer="carbon_path" data-field="share_of_target_pct" data-scenario="planned" data-rule="year=2030"'
        in report
    )


def test_homes_are_as_the_plan_says_or_a_reason_tells_why_not(town):
    blocks, told, houses = (
        pyogrio.read_dataframe(town.latest / "planned" / "twin.gpkg", layer=name)
        for name in ("plan_blocks", "quality", "buildings")
    )
    asked, built = blocks["homes"].fillna(0), blocks["homes_built"].fillna(0)
    off = blocks.loc[(built - asked).abs() > 0.02 * asked, "block_id"]
    reasons = told.loc[told["reason"].isin(["homes_of_standing", "floor_area_not_reached", "plan_impossible"]), "key"]
    assert set(off) <= set(reasons)
    new = blocks["block_status"] == "new"
    assert asked[new].sum() > 0
    assert houses["homes"].sum() == built.sum() == pytest.approx(asked[new].sum(), rel=0.02)
