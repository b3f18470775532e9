"""Maps, looked at pixel by pixel where a person would look."""

from __future__ import annotations

import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from matplotlib.figure import Figure
from matplotlib.font_manager import get_font
from PIL import Image
from rasterio.transform import from_origin

from geodata.catalogue import LAYERS
from twin.publish.about import ReleaseAbout
from twin.publish.map_shapes import draw_classes, outlines
from twin.publish.map_sheet import font, round_length
from twin.publish.maps import draw_layer, draw_map, draw_terrain, extent_of
from twin.publish.styles import styles_for


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def share(picture: np.ndarray, colour: str, tolerance: int = 6) -> float:
    wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    return float((np.abs(picture - wanted).max(axis=2) <= tolerance).mean())


@pytest.fixture
def terrain(tmp_path: Path) -> Path:
    """A hill that covers only the western half of the parcels; the rest is unknown."""
    path = tmp_path / "terrain.tif"
    y, x = np.mgrid[0:60, 0:60]
    heights = (40 * np.exp(-((x - 20) ** 2 + (y - 30) ** 2) / 150)).astype("float32")
    heights[:, 40:] = np.nan
    with rasterio.open(
        path, "w", driver="GTiff", width=60, height=60, count=1, dtype="float32", nodata=np.nan, crs="EPSG:5186",
        transform=from_origin(184_950, 538_220, 5, 5),
    ) as sink:  # fmt: skip
        sink.write(heights, 1)
    return path


def test_overview_shows_both_maps_and_the_marks(
    tmp_path: Path, layers: dict[str, pd.DataFrame], about: ReleaseAbout, terrain: Path
) -> None:
    marked, plain, same = tmp_path / "marked.png", tmp_path / "plain.png", tmp_path / "same.png"
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a glyph that the font does not have is a warning
        draw_map(layers, marked, about=about, terrain=terrain, attribution="국토교통부 · V-World")
    picture = pixels(marked)
    middle = picture.shape[1] // 2
    assert share(picture[:, :middle], "#8856a7") > 0.005  # tall buildings on the left
    assert share(picture[:, :middle], "#f57f2c") == 0
    assert share(picture[:, middle:], "#f57f2c") > 0.005  # large yields on the right
    assert share(picture[:150, middle:], "#b3400a") > 0.005  # demo data
    assert share(picture[:150, middle:], "#3d4f7d") > 0.005  # unshaded
    draw_map(layers, plain, about=replace(about, demo=False, unshaded=False))
    assert share(pixels(plain)[:150], "#b3400a") == 0
    assert share(pixels(plain)[:150], "#3d4f7d") == 0
    draw_map(layers, same, about=about, terrain=terrain, attribution="국토교통부 · V-World")
    assert same.read_bytes() == marked.read_bytes()


def test_overview_without_roofs_is_one_map(
    tmp_path: Path, layers: dict[str, pd.DataFrame], about: ReleaseAbout
) -> None:
    both, one = tmp_path / "both.png", tmp_path / "one.png"
    draw_map(layers, both, about=about)
    draw_map({"parcels": layers["parcels"]}, one, about=about)
    assert pixels(one).shape[1] < 0.6 * pixels(both).shape[1]
    with pytest.raises(ValueError, match="no layer has a shape"):
        draw_map({"run_info": layers["run_info"], "parcels": layers["parcels"].iloc[:0]}, one, about=about)


def test_every_layer_with_shapes_has_its_picture(
    tmp_path: Path, layers: dict[str, pd.DataFrame], plan_blocks: pd.DataFrame, about: ReleaseAbout
) -> None:
    for name, frame in {**layers, "plan_blocks": plan_blocks}.items():
        path = tmp_path / f"{name}.png"
        drawn = draw_layer(name, frame, path, about=about, background=layers["parcels"])
        assert drawn is path.exists() is (LAYERS[name].geometry is not None)
        if drawn:
            assert path.stat().st_size < 60_000
            assert len(np.unique(pixels(path).reshape(-1, 3), axis=0)) > 20
        assert draw_layer(name, frame.iloc[:0], path, about=about) is False


def test_a_parcel_without_land_cover_is_grey_not_bare(
    tmp_path: Path, layers: dict[str, pd.DataFrame], about: ReleaseAbout
) -> None:
    parcels = layers["parcels"]
    draw_layer("parcels", parcels[parcels["green_cover_pct"].isna()], tmp_path / "a.png", about=about)
    map_only = pixels(tmp_path / "a.png")[:, :500]
    assert share(map_only, "#bcbcbc") > 0.02
    assert share(map_only, "#ffffe5", 2) == 0


def test_terrain_that_is_unknown_is_told(
    tmp_path: Path, layers: dict[str, pd.DataFrame], about: ReleaseAbout, terrain: Path
) -> None:
    draw_terrain(terrain, tmp_path / "t.png", about=about, area=layers["districts"])
    picture = pixels(tmp_path / "t.png")
    assert share(picture, "#e9d8d8") > 0.1
    assert share(picture[:, : picture.shape[1] // 3], "#e9d8d8") < share(
        picture[:, -picture.shape[1] // 3 :], "#e9d8d8"
    )


def test_outlines_keep_holes_and_skip_what_is_not_there() -> None:
    ring = shapely.Point(0, 0).buffer(10).difference(shapely.Point(0, 0).buffer(5))
    clockwise = shapely.Polygon([(20, 0), (20, 10), (30, 10), (30, 0)])
    two = shapely.MultiPolygon([shapely.box(40, 0, 50, 10), shapely.box(60, 0, 70, 10)])
    shapes = np.array([ring, None, shapely.Polygon(), clockwise, two], dtype=object)
    (path,) = outlines(shapes)
    inside = [(7.5, 0), (25, 5), (45, 5), (65, 5)]
    outside = [(55, 5), (15, 5)]
    assert path.contains_points(inside).all()
    assert not path.contains_points(outside).any()
    # signed area of the path, holes turning the other way: exactly the area of the shapes
    assert sum(
        float(shapely.Polygon(part).area) * (1 if shapely.is_ccw(shapely.LinearRing(part)) else -1)
        for part in path.to_polygons()
    ) == pytest.approx(ring.area + 100 + 200)
    assert outlines(np.array([None], dtype=object)) == []
    many = shapely.box(np.arange(1000.0), 0, np.arange(1000.0) + 0.5, 1)
    assert sum(len(p.vertices) for p in outlines(many)) == 5000


def test_extent_follows_the_town_not_the_dongs(layers: dict[str, pd.DataFrame]) -> None:
    minx, _, maxx, _ = extent_of(layers)
    assert (minx, maxx) == (185_000 - 10, 185_000 + 5 * 44 + 40 + 10)
    dongs = extent_of({"districts": layers["districts"]})
    assert dongs[0] < minx


@pytest.mark.parametrize(("about_m", "length"), [(1000, 1000), (999, 500), (499, 200), (34, 20), (5600, 5000)])
def test_scale_bars_have_round_lengths(about_m: float, length: float) -> None:
    assert round_length(about_m) == length


def test_the_font_has_every_sign_of_the_catalogue() -> None:
    known = get_font(font(10).get_file()).get_charmap()
    words = "".join(
        f.ko + f.en + f.unit + c.ko for layer in LAYERS.values() for f in layer.fields for c in [*f.choices.values(), f]
    )
    assert {sign for sign in words if ord(sign) not in known} == set()


def test_drawing_leaves_matplotlib_as_it_was(tmp_path: Path) -> None:
    code = (
        "import sys, matplotlib, matplotlib.font_manager as fm; before = dict(matplotlib.rcParams); fonts = len(fm.fontManager.ttflist)\n"
        "import geopandas as gpd, shapely; from pathlib import Path; from twin.publish.maps import draw_terrain, draw_layer\n"
        "from twin.publish.about import ReleaseAbout; from geodata.catalogue import LAYERS\n"
        "frame = gpd.GeoDataFrame({'dong_code': ['4121010700'], 'name_ko': ['가'], 'kind': 'legal_dong', 'area_m2': 1.0}, geometry=[shapely.box(0, 0, 9, 9)], crs=5186)\n"
        "draw_layer('districts', LAYERS['districts'].finish(frame), Path(sys.argv[1]), about=ReleaseAbout('가', 'a', 'EPSG:5186', '2026', True, True))\n"
        "assert dict(matplotlib.rcParams) == before and len(fm.fontManager.ttflist) == fonts\n"
    )
    subprocess.run([sys.executable, "-W", "error::UserWarning", "-c", code, str(tmp_path / "a.png")], check=True)


def test_points_without_classes_are_drawn_as_points() -> None:
    """Bus stops of a town without terrain have no shade to be coloured by."""
    axes = Figure().add_subplot()
    stops = gpd.GeoDataFrame(
        {"stop_id": ["a", "b", "c"]}, geometry=[shapely.Point(1, 2), None, shapely.Point(3, 4)], crs="EPSG:5186"
    )
    draw_classes(
        axes, stops, LAYERS["bus_stops"], styles_for(LAYERS["bus_stops"], ("stop_id",))[0], [], width=0.3, order=2
    )
    (drawn,) = axes.collections
    np.testing.assert_array_equal(drawn.get_offsets(), [[1, 2], [3, 4]])
