"""After one building changed: what is measured from the night before equals what is measured anew, to the bit."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from rasterio.transform import from_origin

from twin.green.biotope.ratio import surfaces_of
from twin.green.biotope.surfaces import Known, surface_areas, surface_pairs
from twin.green.ground_shade import GroundShade, ShadeRaster, load_grounds, mean_shade, pieces_of, save_grounds
from twin.green.heat import shaded_grounds
from twin.green.plots import plot_cover
from twin.green.trees_in_sight import SeenBefore, trees_in_sight
from twin.overlay import shared_areas
from twin.same_rows import moved_pieces, row_before
from twin.sky.changed_heights import changed_bounds
from twin.sky.tiles import SurfaceFolder

CRS = "EPSG:5186"
# corners of a kilometre
EAST, NORTH = 192_000.0, 544_000.0
SIDE = 600.0


def tessellation(count, seed):
    """Cells that fill the square, so that no border lies on round numbers."""
    rng = np.random.default_rng(seed)
    square = shapely.box(EAST, NORTH, EAST + SIDE, NORTH + SIDE)
    points = shapely.multipoints(np.add(rng.uniform(0, SIDE, (count, 2)), (EAST, NORTH)))
    return shapely.intersection(shapely.get_parts(shapely.voronoi_polygons(points, extend_to=square)), square)


def town():
    """Parcels and land cover that cut each other at random, and a house every 24 m, some into the next one."""
    rng = np.random.default_rng(7)
    lots = gpd.GeoDataFrame({"pnu": [f"p{n:03}" for n in range(300)]}, geometry=tessellation(300, 1), crs=CRS)
    # one lot in three places
    lots["pnu"] = lots["pnu"].replace({"p001": "p200", "p002": "p200"})
    lots = lots.dissolve("pnu", as_index=False)[["pnu", "geometry"]]
    cover = gpd.GeoDataFrame(
        {"class_code": rng.choice(["112", "154", "311", "411", "231", "999"], 500), "source": "made"},
        geometry=tessellation(500, 2),
        crs=CRS,
    )
    at = np.stack(np.meshgrid(np.arange(12, SIDE, 24), np.arange(12, SIDE, 24)), axis=-1).reshape(-1, 2)
    at = at + rng.uniform(-3, 3, at.shape) + (EAST, NORTH)
    houses = shapely.buffer(shapely.points(at), rng.uniform(3, 14, len(at)), quad_segs=1)
    frame = gpd.GeoDataFrame({"building_id": [f"b{n:03}" for n in range(len(at))]}, geometry=houses, crs=CRS)
    return lots, cover, frame


def moved(frame):
    shapes = frame.geometry.to_numpy().copy()
    shapes[200] = shapely.transform(shapes[200], lambda xy: np.add(xy, (37.3, -24.1)))
    return frame.set_geometry(gpd.GeoSeries(shapes, crs=frame.crs))


def removed(frame):
    return frame.drop(index=200).reset_index(drop=True)


def added(frame):
    new = gpd.GeoDataFrame(
        {name: frame[name].iloc[[200]].to_numpy() for name in frame.columns if name != "geometry"},
        geometry=shapely.transform(frame.geometry.iloc[[200]].to_numpy(), lambda xy: np.add(xy, (41.1, 29.7))),
        crs=frame.crs,
    ).assign(building_id="a000")
    return pd.concat([new, frame], ignore_index=True)


def reversed_(frame):
    return frame.iloc[::-1].reset_index(drop=True)


EDITS = pytest.mark.parametrize("edit", [moved, removed, added, reversed_])


@EDITS
def test_surfaces_of_parcels(edit):
    lots, cover, houses = town()
    before, now = surfaces_of(cover, None, houses), surfaces_of(cover, None, edit(houses))
    pairs = surface_pairs(lots, before)
    known = Known(before.top_frame(CRS), pairs)
    warm, cold = surface_pairs(lots, now, known), surface_pairs(lots, now)
    pd.testing.assert_frame_equal(warm, cold, check_exact=True)
    pd.testing.assert_frame_equal(
        surface_areas(lots, "pnu", now, warm), surface_areas(lots, "pnu", now, cold), check_exact=True
    )
    change = (surface_areas(lots, "pnu", before, pairs) - surface_areas(lots, "pnu", now, cold)).abs().max(axis=1)
    assert (change > 1).any() == (edit is not reversed_)


def test_only_what_changed_is_laid_over_the_parcels(monkeypatch):
    lots, cover, houses = town()
    before, now = surfaces_of(cover, None, houses), surfaces_of(cover, None, moved(houses))
    known, asked = Known(before.top_frame(CRS), surface_pairs(lots, before)), []

    def counted(features, polygons):
        asked.append(len(polygons))
        return shared_areas(features, polygons)

    monkeypatch.setattr("twin.green.biotope.surfaces.shared_areas", counted)
    surface_pairs(lots, now, known)
    assert asked[0] >= 1
    assert sum(asked) < 40


def test_pairs_of_another_town_would_show():
    """What is kept is taken as it is: a wrong pair stays wrong, so the tests above can fail."""
    lots, cover, houses = town()
    ground = surfaces_of(cover, None, houses)
    pairs = surface_pairs(lots, ground)
    wrong = pairs.assign(area_m2=pairs["area_m2"] + 1.0)
    found = surface_pairs(lots, surfaces_of(cover, None, moved(houses)), Known(ground.top_frame(CRS), wrong))
    assert (
        found["area_m2"] - surface_pairs(lots, surfaces_of(cover, None, moved(houses)))["area_m2"] > 0.5
    ).sum() > 1000


@EDITS
def test_plots_of_buildings(edit):
    lots, _, houses = town()
    rng = np.random.default_rng(3)
    green = pd.DataFrame({"green_area_m2": lots.area.to_numpy() * rng.uniform(0, 1, len(lots))}, index=lots["pnu"])
    green.iloc[10] = np.nan
    now = edit(houses)
    cold = plot_cover(now, lots, green)
    warm = plot_cover(now, lots, green, known=(houses, plot_cover(houses, lots, green)))
    pd.testing.assert_frame_equal(warm, cold, check_exact=True)


def test_rows_are_the_same_by_outline_and_columns():
    _, _, houses = town()
    then = houses.assign(altitude=50.0, block_id=None)
    now = moved(then)
    now.loc[3, "altitude"] = 50.5
    now.loc[4, "altitude"] = np.nan
    rows = row_before(now, then, "building_id", ["altitude", "block_id"])
    assert np.flatnonzero(rows < 0).tolist() == [3, 4, 200]
    assert np.flatnonzero(row_before(now, then, "building_id") < 0).tolist() == [200]
    assert (row_before(now, then, "building_id", outlines=False) == np.arange(len(then))).all()
    backward = row_before(now, then[::-1], "building_id", ["altitude"])
    assert backward[[0, 3, 5]].tolist() == [len(then) - 1, -1, len(then) - 6]
    assert (row_before(pd.concat([then, then[:1]]), then, "building_id")[[0, len(then)]] < 0).all()
    assert (row_before(then, then.drop(columns="block_id"), "building_id", ["block_id"]) >= 0).all()


def test_pieces_that_changed_order_are_told_apart():
    place, new = moved_pieces([b"a", b"x", b"c"], [b"a", b"b", b"c"])
    assert place.tolist() == [0, -1, 2]
    assert new.tolist() == [False, True, False]
    assert moved_pieces([b"c", b"a"], [b"a", b"c"]) is None
    assert moved_pieces([b"a", b"a"], [b"a"]) is None


def raster(path, hours):
    rows, columns = hours.shape
    with rasterio.open(path, "w", driver="GTiff", dtype="uint16", count=1, width=columns, height=rows, nodata=65535,
                       crs=CRS, transform=from_origin(EAST, NORTH + rows, 1.0, 1.0)) as target:  # fmt: skip
        target.write(hours.astype(np.uint16), 1)
    return ShadeRaster.read(path)


def test_shade_of_parcels_and_of_a_dong_in_squares(tmp_path):
    """One house less: a shadow of 20 m is gone and its ground is open; the dong is measured in squares."""
    lots, cover, _ = town()
    dong = shapely.union_all(lots.geometry.to_numpy()).buffer(-3.3)
    features = np.concatenate([lots.geometry.to_numpy(), [dong]])
    hours = np.random.default_rng(5).integers(0, 1200, (610, 605))
    hours[200:210, 300:312] = 65535
    after = hours.copy()
    after[195:225, 290:315] = 17
    then, now = raster(tmp_path / "then.tif", hours), raster(tmp_path / "now.tif", after)
    grounds = shaded_grounds(now, cover)
    save_grounds(grounds, tmp_path)
    kept = load_grounds(tmp_path)
    assert list(kept) == ["ground", "pavement"]
    assert all(np.array_equal(kept[name], grounds[name]) for name in grounds)
    pieces, owner = pieces_of(features)
    assert (owner == len(lots)).sum() > 3
    known = GroundShade(then, grounds).sums(pieces)
    cold, warm = GroundShade(now, grounds).sums(pieces), GroundShade(now, grounds, then).sums(pieces, known)
    pd.testing.assert_frame_equal(warm, cold, check_exact=True)
    assert 0 < (known != cold).any(axis=1).sum() < 40
    # squares change no mean: counted cell by cell, apart from the border of the dong
    means = mean_shade(cold, owner, len(features), grounds)
    inside = now.cells_of(gpd.GeoSeries([dong], crs=CRS)) & (after != 65535)
    assert means["ground_shade_h"].iloc[-1] == pytest.approx(after[inside].mean() / 92, rel=1e-3)


def test_known_sums_are_taken_only_where_no_cell_changed(tmp_path):
    lots, cover, _ = town()
    hours = np.full((600, 600), 92)
    after = hours.copy()
    after[599, 0] = 184
    then, now = raster(tmp_path / "then.tif", hours), raster(tmp_path / "now.tif", after)
    pieces, _ = pieces_of(lots.geometry.to_numpy())
    shade = GroundShade(now, shaded_grounds(now, cover), then)
    found = shade.sums(pieces, shade.sums(pieces) * np.nan)
    # the cell in the south-western corner, and the block of 16 around it
    corner = shapely.intersects(pieces, shapely.box(EAST, NORTH, EAST + 1, NORTH + 1))
    assert found.loc[corner, "ground_count"].notna().all()
    assert found["ground_count"].notna().sum() < 10


def heights(folder, values, name="tile.tif"):
    folder.mkdir()
    side = len(values)
    with rasterio.open(folder / name, "w", driver="GTiff", dtype="float32", count=1, width=side, height=side, nodata=float("nan"),
                       crs=CRS, transform=from_origin(EAST, NORTH + side, 1.0, 1.0)) as target:  # fmt: skip
        target.write(values.astype(np.float32), 1)
    return SurfaceFolder.open(folder)


@pytest.fixture(scope="module")
def wooded(tmp_path_factory):
    """Surface and crowns of the town before and after house 200 became a tower and lost its trees."""
    folder = tmp_path_factory.mktemp("wooded")
    _, _, houses = town()
    houses = houses.assign(floors_above=pd.array([2] * len(houses), dtype="Int64"), altitude=50.0)
    crowns = np.where(np.random.default_rng(9).uniform(0, 1, (600, 600)) > 0.985, 6.0, 0.0)
    found = []
    for name, height in (("then", 8.0), ("now", 40.0)):
        ground = np.full((600, 600), 50.0)
        for number, shape in enumerate(houses.geometry):
            cells = rasterio.features.geometry_mask(
                [shape], ground.shape, from_origin(EAST, NORTH + 600, 1, 1), invert=True
            )
            ground[cells] = 50.0 + (height if number == 200 else 8.0)
            if number == 200 and name == "now":
                crowns = np.where(cells, 0.0, crowns)
        found.append((heights(folder / name, ground), heights(folder / f"{name}_crowns", crowns)))
    return houses, *found


@EDITS
def test_trees_in_sight(wooded, edit, monkeypatch):
    houses, then, now = wooded
    homes = edit(houses)
    boxes = [changed_bounds(*pair) for pair in zip(then, now, strict=True)]
    squares = shapely.box(*np.concatenate(boxes).T)
    assert len(squares)
    trees = pd.Series(trees_in_sight(houses, *then), index=houses["building_id"])
    cold = trees_in_sight(homes, *now)
    warm = trees_in_sight(homes, *now, SeenBefore(houses, trees, squares))
    np.testing.assert_array_equal(warm, cold)
    # what is known is taken: homes far away keep even a wrong count
    wrong = trees_in_sight(homes, *now, SeenBefore(houses, trees * 0 - 1, squares))
    assert 300 < (wrong == -1).sum() < len(homes) - 10


def test_a_wider_rectangle_looks_again_from_all_its_homes(wooded):
    """Coordinates count from the corner of the rectangle, so with a home further west nothing old is taken."""
    houses, then, _ = wooded
    wider = pd.concat([houses[300:], houses[:10]], ignore_index=True)
    squares = np.empty(0, dtype=object)
    trees = pd.Series(trees_in_sight(houses[300:], *then), index=houses["building_id"][300:])
    found = trees_in_sight(wider, *then, SeenBefore(houses[300:], trees * 0 - 1, squares))
    np.testing.assert_array_equal(found, trees_in_sight(wider, *then))
