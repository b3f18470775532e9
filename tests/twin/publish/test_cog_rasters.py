from __future__ import annotations

from xml.etree import ElementTree as ET

import numpy as np
import pytest
import rasterio
from affine import Affine

from geodata.errors import InputError
from twin.publish.rasters import RasterStyle, raster_problems, raster_qml, raster_styles, write_raster
from twin.sky.cell_light import STEPS as RASTERS
from twin.sky.raster_tile import NOTHING


def write_tile(path, values, west, north, size=2.0):
    profile = {"driver": "GTiff", "dtype": "uint16", "count": 2, "width": values.shape[1], "height": values.shape[0]}
    grid = Affine(size, 0, west, 0, -size, north)
    with rasterio.open(path, "w", crs="EPSG:5186", transform=grid, nodata=NOTHING, **profile) as target:
        target.write(np.stack([values, np.where(values == NOTHING, NOTHING, values // 2)]))


@pytest.fixture
def tiles(tmp_path):
    """Two tiles beside each other with a corner missing; values rise to the east."""
    east = np.broadcast_to(np.arange(700, dtype=np.uint16), (600, 700))
    one, two = east.copy(), (east[:300] + 100).astype(np.uint16)
    one[:40, :50] = NOTHING
    write_tile(tmp_path / "one.tif", one, 0.0, 2000.0)
    write_tile(tmp_path / "two.tif", two, 1400.0, 1400.0)
    return [tmp_path / "one.tif", tmp_path / "two.tif"], one, two


def test_a_raster_is_a_cloud_optimised_geotiff(tiles, tmp_path):
    paths, one, two = tiles
    told = write_raster("shade_hours_year", paths, 1, tmp_path / "out.tif")
    known = np.concatenate([one[one != NOTHING], two.ravel()]).astype(float)
    assert told["cells_known"] == known.size
    assert (told["minimum"], told["maximum"]) == (known.min(), known.max())
    assert told["mean"] == pytest.approx(known.mean())
    with rasterio.open(tmp_path / "out.tif") as source:
        assert source.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert source.profile["tiled"]
        assert source.block_shapes == [(512, 512)]
        assert source.overviews(1) == [2, 4]
        assert tuple(source.bounds) == (0.0, 800.0, 2800.0, 2000.0)
        assert source.crs.to_epsg() == 5186
        assert source.units == ("h",)
        statistics = source.tags(1)
        assert float(statistics["STATISTICS_MEAN"]) == pytest.approx(known.mean())
        assert float(statistics["STATISTICS_MAXIMUM"]) == known.max()
        found = source.read(1)
    expected = np.full((600, 1400), NOTHING)
    expected[:, :700], expected[300:, 700:] = one, two
    np.testing.assert_array_equal(found, expected)
    with rasterio.open(tmp_path / "out.tif", overview_level=0) as small:
        # an overview is the mean of four cells: 400 and 401 in two rows
        assert small.read(1)[200, 200] in (400, 401)


def test_the_file_begins_with_its_overviews_smallest_first(tiles, tmp_path):
    """What makes a GeoTIFF cloud-optimised: headers first, then data from the coarsest overview to the full raster."""
    write_raster("shade_hours_year", tiles[0], 1, tmp_path / "out.tif")
    assert b"LAYOUT=IFDS_BEFORE_DATA" in (tmp_path / "out.tif").read_bytes()[:400]


def test_steps_become_decimals_and_gaps_nan(tiles, tmp_path):
    paths, one, _ = tiles
    write_raster("sky_view", paths, 2, tmp_path / "out.tif", step=1e-2)
    with rasterio.open(tmp_path / "out.tif") as source:
        assert source.dtypes == ("float32",)
        found = source.read(1)[:, :700]
    np.testing.assert_allclose(found, np.where(one == NOTHING, np.nan, one // 2 / 100), atol=1e-6)


def test_equal_tiles_give_equal_bytes(tiles, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_raster("sky_view", tiles[0], 1, tmp_path / name / "out.tif", step=1e-2, demo=True)
    first, second = ([p.read_bytes() for p in sorted((tmp_path / name).iterdir())] for name in ("a", "b"))
    assert len(first) == 2
    assert first == second


@pytest.mark.parametrize("demo", [True, False])
def test_invented_data_say_so(tiles, tmp_path, demo):
    write_raster("irradiation_kwh_m2", tiles[0], 1, tmp_path / "out.tif", demo=demo)
    with rasterio.open(tmp_path / "out.tif") as source:
        texts = [*source.descriptions, source.tags()["TITLE"], source.tags()["ABOUT_KO"]]
    assert all(("가상 데이터 / demo data" in text) is demo for text in texts)
    assert "연간 일사량" in texts[0]


def test_there_is_one_style_for_each_raster_and_it_loads():
    assert set(raster_styles()) == set(RASTERS)
    for style in raster_styles().values():
        root = ET.fromstring(raster_qml(style))  # noqa: S314 - our own text
        assert root.find("pipe/rasterrenderer").get("type") == "singlebandpseudocolor"
        items = root.findall(".//colorrampshader/item")
        values = [float(item.get("value")) for item in items]
        assert values == sorted(values)
        assert len(items) == len(style.stops)
        assert all(len(item.get("color")) == 7 for item in items)


def test_unusable_tiles_and_styles_are_refused(tiles, tmp_path):
    with pytest.raises(InputError, match="no tiles"):
        write_raster("sky_view", [], 1, tmp_path / "out.tif")
    write_tile(tmp_path / "fine.tif", np.zeros((10, 10), np.uint16), 0.0, 100.0, size=1.0)
    with pytest.raises(InputError, match="differ"):
        write_raster("sky_view", [*tiles[0], tmp_path / "fine.tif"], 1, tmp_path / "out.tif")
    write_tile(tmp_path / "empty.tif", np.full((10, 10), NOTHING, np.uint16), 0.0, 100.0)
    assert write_raster("shade_hours_year", [tmp_path / "empty.tif"], 1, tmp_path / "out.tif") is None
    assert not (tmp_path / "out.tif").exists()
    words = raster_styles()["sky_view"].model_dump()
    with pytest.raises(ValueError, match="ascending"):
        RasterStyle.model_validate(words | {"stops": [[1, "#000000"], [0, "#ffffff"]]})


def test_a_file_that_was_changed_is_no_published_raster_any_more(tiles, tmp_path):
    paths, *_ = tiles
    for name in ("out", "edited", "cut"):
        write_raster("shade_hours_year", paths, 1, tmp_path / f"{name}.tif")
    assert raster_problems(tmp_path / "out.tif") == []
    assert any("no cloud-optimised" in told for told in raster_problems(paths[0]))
    with rasterio.open(tmp_path / "edited.tif", "r+", IGNORE_COG_LAYOUT_BREAK="YES") as target:
        target.write(np.zeros((1, 1), dtype=np.uint16), 1, window=((0, 1), (0, 1)))
        target.update_tags(WHO="me")
    assert raster_problems(tmp_path / "edited.tif") == ["edited.tif: is no cloud-optimised GeoTIFF"]
    (tmp_path / "cut.tif").write_bytes((tmp_path / "cut.tif").read_bytes()[:30])
    assert raster_problems(tmp_path / "cut.tif")[0].startswith("cut.tif: cannot be read")
