"""The STAC catalogue of a release, read by pystac with the schemas that it carries: no network."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import pystac
import pystac.validation
import pytest
import rasterio
import shapely
from affine import Affine

from geodata.catalogue import LAYERS
from geodata.inventory import Dataset, Inventory
from geodata.site import Site
from twin.publish.about import ReleaseAbout
from twin.publish.changes.files import make_beside
from twin.publish.durable import remove_tree, sha256_of
from twin.publish.geopackage import write_geopackage
from twin.publish.geoparquet import write_layer
from twin.publish.rasters import write_raster
from twin.publish.release import publish_release
from twin.publish.stac import release_facts, with_catalogue
from twin.publish.validate import validate_release

SCENARIOS = ("existing", "planned")
NOW = datetime(2026, 11, 1, 17, 30, 0, tzinfo=UTC)


@pytest.fixture
def site() -> Site:
    return Site.model_validate(
        {"name": "gaon", "title": {"ko": "가온", "en": "Gaon"}, "study_area": {"legal_dongs": ["4121010700"]}, "scenarios": list(SCENARIOS)}
    )  # fmt: skip


@pytest.fixture
def inventory() -> Inventory:
    given = [
        ("AL_D002", "parcels", "2026-06-09", "CC BY", "국토교통부"),
        ("AL_D010", "buildings", "2026-06", "CC BY-NC-ND", "국토교통부"),
        ("SG05", "land_cover", "2024", "KOGL 1", "기후에너지환경부"),
        ("EPW", "weather", "", "", ""),
    ]
    return Inventory(
        datasets=tuple(
            Dataset(product=product, role=role, parts=(), vintage=vintage, licence=licence, attribution=who)
            for product, role, vintage, licence, who in given
        )
    )


@pytest.fixture
def files(tmp_path: Path, layers, about: ReleaseAbout) -> dict[str, Path]:
    """What a release of two scenarios is made of, in small."""
    store = tmp_path / "store"
    store.mkdir()
    with rasterio.open(
        store / "tile.tif", "w", driver="GTiff", dtype="uint16", count=1, width=40, height=30, crs="EPSG:5186",
        transform=Affine(2.0, 0, 185_000, 0, -2.0, 538_060), nodata=65535,
    ) as target:  # fmt: skip
        target.write(np.full((1, 30, 40), 700, dtype=np.uint16))
    found: dict[str, Path] = {}
    for scenario in SCENARIOS:
        found[f"{scenario}/twin.gpkg"] = store / f"{scenario}.gpkg"
        write_geopackage(found[f"{scenario}/twin.gpkg"], layers, about)
        for name in ("districts", "parks"):
            path = found[f"geoparquet/{scenario}/{name}.parquet"] = store / f"{scenario}_{name}.parquet"
            write_layer(path, LAYERS[name], layers[name], about)
        path = found[f"rasters/{scenario}_sky_view.tif"] = store / f"{scenario}.tif"
        write_raster("sky_view", [store / "tile.tif"], 1, path, step=0.001)
        found[f"rasters/{scenario}_sky_view.qml"] = path.with_suffix(".qml")
        for name in ("tileset.json", "tiles/f_1_2.glb", "tiles/f_1_3.glb"):
            path = found[f"city3d/{scenario}/{name}"] = store / scenario / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{scenario} {name}", encoding="utf-8")
    for name in ("report.html", "report_existing.html", "town.qgz"):
        found[name] = store / name
        found[name].write_text(name, encoding="utf-8")
    return found


@pytest.fixture
def release(tmp_path: Path, files, site, inventory, about: ReleaseAbout):
    facts = release_facts(
        site, inventory, about, scenarios=SCENARIOS, summary=["existing: 필지 30"], known={"town.qgz": "ab" * 32}
    )
    result = publish_release(
        tmp_path / "outputs", "gaon", files, {"content": {}}, "0" * 64, now=NOW, keep=3, validate=validate_release,
        beside=with_catalogue(partial(make_beside, about=about), facts),
    )  # fmt: skip
    yield result.path
    remove_tree(tmp_path / "outputs")


def test_pystac_finds_it_valid_wherever_it_lies(release: Path) -> None:
    catalogue = pystac.Catalog.from_file(str(release / "catalog.json"))
    met = list(catalogue.walk())
    collections = [c for root, _, _ in met for c in [root] if isinstance(root, pystac.Collection)]
    items = list(catalogue.get_items(recursive=True))
    assert len(collections) == 1
    assert [item.properties["scenario"] for item in items] == list(SCENARIOS)
    for path in [release / "catalog.json", *sorted((release / "stac").rglob("*.json"))]:
        told = json.loads(path.read_text(encoding="utf-8"))
        # the core schemas come with pystac; those of extensions would be fetched, so that their rules are tested below
        assert pystac.validation.validate_dict(told, extensions=[])
        assert all(not link["href"].startswith(("/", "http")) for link in told["links"])
        assert str(release) not in json.dumps(told)


def test_every_file_is_an_asset_with_its_true_checksum(release: Path) -> None:
    held = json.loads((release / "manifest.json").read_text(encoding="utf-8"))["files"]
    seen = {}
    for path in sorted((release / "stac").rglob("*.json")):
        for name, asset in json.loads(path.read_text(encoding="utf-8"))["assets"].items():
            assert (path.parent / asset["href"]).resolve() == release / name
            assert asset["file:size"] == (release / name).stat().st_size
            seen[name] = asset
    parts = {name for name in held if "/tiles/" in name}
    assert set(held) - parts - {"catalog.json", "stac/collection.json", *(f"stac/items/{s}.json" for s in SCENARIOS)} == set(seen)  # fmt: skip
    # multihash: 12 is SHA-256, 20 its length in bytes
    wrong = {name for name, asset in seen.items() if asset["file:checksum"] != f"1220{sha256_of(release / name)}"}
    assert wrong == {"town.qgz"}  # whose hash the publisher claimed to know
    assert seen["geoparquet/planned/parks.parquet"]["title"] == "공원·녹지 (도시계획시설) / Parks"
    assert seen["report_existing.html"]["roles"] == ["metadata"]
    raster = seen["rasters/planned_sky_view.tif"]
    assert (raster["proj:shape"], raster["proj:transform"]) == ([30, 40], [2.0, 0.0, 185_000.0, 0.0, -2.0, 538_060.0])
    assert (raster["proj:code"], raster["data_type"], raster["nodata"]) == ("EPSG:5186", "float32", "nan")


def test_it_tells_place_time_givers_and_terms(release: Path, layers) -> None:
    item = json.loads((release / "stac/items/planned.json").read_text(encoding="utf-8"))
    told = item["properties"]
    # from the first day of the oldest input's year to the last second of the newest input's month; published at 02:30 in Seoul
    assert (told["start_datetime"], told["end_datetime"]) == ("2024-01-01T00:00:00Z", "2026-06-30T23:59:59Z")
    assert told["created"] == "2026-11-01T17:30:00Z"
    assert release.name.startswith("20261102T023000")
    assert told["title"].startswith("가온")
    assert told["title"].endswith("계획 / Planned")
    outline = shapely.from_geojson(json.dumps(item["geometry"]))
    there = layers["districts"].to_crs("EPSG:4326").union_all()
    assert outline.intersection(there).area / outline.union(there).area > 0.95
    assert item["bbox"] == pytest.approx(outline.bounds)
    collection = json.loads((release / "stac/collection.json").read_text(encoding="utf-8"))
    givers = {giver["name"]: giver for giver in collection["providers"]}
    assert "AL_D002 · 2026-06-09 · CC BY" in givers["국토교통부"]["description"]
    assert "AL_D010 · 2026-06 · CC BY-NC-ND" in givers["국토교통부"]["description"]
    assert any("EPW" in giver["description"] for giver in givers.values())
    assert collection["license"] == "other"
    assert [link["href"] for link in collection["links"] if link["rel"] == "license"] == ["../manifest.json"]


def test_nobody_is_named_as_the_giver_of_invented_data(site, inventory, about: ReleaseAbout) -> None:
    demo = site.model_copy(update={"demo": True})
    facts = release_facts(demo, inventory, about, scenarios=SCENARIOS, summary=[], known={})
    assert not any("국토교통부" in giver.name or "환경부" in giver.name for giver in facts.providers)
    told = next(giver for giver in facts.providers if "AL_D002" in giver.description)
    assert told.description.startswith("가상 데이터 / demo data")
