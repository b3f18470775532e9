"""Sources that the site file names."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pyogrio
import pytest
import rasterio

from geodata.errors import InputError
from geodata.inbox import refuse, take_inventory
from geodata.inventory import Inventory
from geodata.site import SourceSpec


def only(inventory: Inventory):
    assert len(inventory.datasets) == 1, inventory
    return inventory.datasets[0]


def told(inventory: Inventory, words: str) -> list:
    return [p for p in inventory.problems if words in p.what]


def test_any_file_by_columns(agency, inbox):
    agency.shapefile(inbox / "zone.shp", {"Name": ["b1", "b2"], "height_ag": [10.0, 20.0], "floors_ag": [3, 6]})
    agency.shapefile(inbox / "other.shp", agency.al_d010())
    spec = SourceSpec(
        path=Path("zone.shp"),
        columns={"building_id": "Name", "height_m": "height_ag", "floors_above": "floors_ag"},
        licence="own",
        vintage="2026",
    )
    inventory = take_inventory(inbox, {"buildings": spec})
    dataset = only(inventory)
    assert (dataset.product, dataset.licence, dataset.vintage, dataset.columns) == (
        "SITE_FILE",
        "own",
        "2026",
        spec.columns,
    )
    assert [p.path for p in told(inventory, "another product is used")] == ["other.shp"]


def test_a_known_product_named_by_the_site_file_needs_no_columns(agency, inbox):
    for n in ("", "(2)"):
        agency.shapefile(inbox / f"x{n}.shp", agency.al_d010())
    dataset = only(take_inventory(inbox, {"buildings": SourceSpec(path=Path("x.shp"))}))
    assert dataset.product == "AL_D010"
    assert len(dataset.parts) == 2


def test_terrain_and_weather_by_the_site_file(agency, inbox):
    agency.dem(inbox / "dem.tif", base=0.0)
    agency.dem(inbox / "other.tif")
    agency.epw(inbox / "w.epw")
    inventory = take_inventory(
        inbox, {"terrain": SourceSpec(path=Path("dem.tif"), nodata=-9999), "weather": SourceSpec(path=inbox / "w.epw")}
    )
    assert {(d.role, d.parts[0].data_source, d.nodata) for d in inventory.datasets} == {
        ("terrain", "dem.tif", -9999.0),
        ("weather", "w.epw", None),
    }


@pytest.mark.parametrize(
    ("role", "spec", "words"),
    [
        ("buildings", {"path": "gone.shp"}, "sources.buildings.path of the site file is not in the inbox"),
        ("buildings", {"path": "/etc/hosts"}, "is not in the inbox"),
        ("buildings", {"path": "../elsewhere/x.shp"}, "is not in the inbox"),
        (
            "buildings",
            {"path": "zone.shp", "columns": {"height_m": "hieght_ag"}},
            "no column 'hieght_ag'; did you mean 'height_ag'",
        ),
        ("buildings", {"path": "zone.shp", "columns": {"heigth_m": "height_ag"}}, "unknown; did you mean 'height_m'"),
        ("buildings", {"path": "zone.shp", "crs": "EPSG:999999"}, "none that is known: EPSG:999999"),
        ("parcels", {"path": "zone.shp"}, "map pnu or dong_name with jibun to columns of the file"),
        ("terrain", {"path": "zone.shp"}, "this is a vector file, a raster file is needed"),
        ("weather", {"path": "note.txt"}, "no map, raster or weather file"),
        ("buildings", {"path": "two.gpkg"}, "name one of the layers a, b"),
        ("buildings", {"path": "two.gpkg", "layer": "c"}, "'c' is not in two.gpkg"),
    ],
)
def test_unusable_sources_say_what_to_do(agency, inbox, role, spec, words):
    agency.shapefile(inbox / "zone.shp", {"Name": ["b1"], "height_ag": [10.0]})
    (inbox / "note.txt").write_text("x")
    for layer in ("a", "b"):
        frame = gpd.GeoDataFrame({"h": [1.0]}, geometry=agency.boxes(1), crs="EPSG:5186")
        pyogrio.write_dataframe(frame, inbox / "two.gpkg", layer=layer, append=layer == "b")
    inventory = take_inventory(inbox, {role: SourceSpec.model_validate(spec)})
    with pytest.raises(InputError) as error:
        refuse(inventory)
    assert words in str(error.value)
    assert role in str(error.value) or "crs" in spec


def test_site_file_overrules_a_wrong_prj(agency, inbox):
    path = agency.shapefile(inbox / "a.shp", agency.al_d002(), crs="EPSG:5174")
    path.with_suffix(".prj").write_text(rasterio.crs.CRS.from_epsg(5186).to_wkt())
    inventory = take_inventory(inbox, {"parcels": SourceSpec(path=Path("a.shp"), crs="EPSG:5174")})
    assert only(inventory).parts[0].crs == "EPSG:5174"
    assert told(inventory, "EPSG:5186 → EPSG:5174")
    refuse(inventory)
