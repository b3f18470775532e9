from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from rasterio.transform import from_origin

from geodata.accounting import QualityLog
from geodata.errors import InputError
from geodata.inbox import take_inventory
from geodata.products.ndvi import build_ndvi, day_of
from geodata.site import SourceSpec
from geodata.study_area import StudyArea
from twin.green.raster_cover import ndvi_green_share

WEST, NORTH = 185_000.0, 537_000.0


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


def _area(west: float = WEST + 100, south: float = NORTH - 500, size: float = 400.0) -> StudyArea:
    box = shapely.box(west, south, west + size, south + size)
    dongs = gpd.GeoDataFrame({"dong_code": ["4121010500"], "name_ko": ["노온사동"]}, geometry=[box], crs="EPSG:5186")
    return StudyArea("EPSG:5186", box, dongs)


def _write(
    path: Path, bands: np.ndarray, *, cell: float = 10.0, crs: str = "EPSG:5186", origin=(WEST, NORTH), **more
) -> Path:
    bands = np.atleast_3d(bands) if bands.ndim == 3 else bands[None]
    scales, offsets = more.pop("scales", None), more.pop("offsets", None)
    path.parent.mkdir(parents=True, exist_ok=True)
    profile = {"driver": "GTiff", "count": len(bands), "height": bands.shape[1], "width": bands.shape[2]}
    profile |= {"dtype": bands.dtype.name, "crs": crs, "transform": from_origin(*origin, cell, cell)}
    with rasterio.open(path, "w", **(profile | more)) as raster:
        raster.write(bands)
        if scales:
            raster.scales, raster.offsets = [scales] * len(bands), [offsets or 0.0] * len(bands)
    return path


def _bands(shape=(60, 60), seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    return random.uniform(0.02, 0.15, shape), random.uniform(0.1, 0.5, shape)


def _stored(reflectance: np.ndarray, offset: int = 0) -> np.ndarray:
    return np.round(reflectance * 10_000 + offset).astype("uint16")


def _build(inbox: Path, out: Path, area: StudyArea | None = None):
    found = take_inventory(inbox)
    assert [p.what for p in found.problems if p.fatal] == []
    return build_ndvi(inbox, found.datasets_for("ndvi"), area or _area(), out)


def _told(inbox: Path, out: Path, datasets) -> tuple[object, list[tuple[str, str, str]]]:
    log = QualityLog("ndvi", "EPSG:5186")
    report = build_ndvi(inbox, datasets, _area(), out, log)
    rows = log.frame()
    return report, list(zip(rows["key"], rows["reason"], rows["detail"], strict=True))


def _inside(out: Path, area: StudyArea | None = None) -> np.ndarray:
    area = area or _area()
    with rasterio.open(out) as raster:
        window = rasterio.windows.from_bounds(*area.area.bounds, transform=raster.transform)
        return raster.read(1, window=window.round_lengths().round_offsets())


def _expected(red: np.ndarray, nir: np.ndarray) -> np.ndarray:
    return ((nir - red) / (nir + red))[10:50, 10:50]


@pytest.mark.parametrize(
    ("folder", "stored_offset"),
    [("S2B_MSIL2A_20210610T021341_N0300_R060.SAFE", 0), ("S2B_MSIL2A_20240610T021341_N0510_R060.SAFE", 1000)],
)
def test_sentinel_bands_by_their_baseline(inbox, tmp_path, folder, stored_offset):
    red, nir = _bands()
    for band, values in (("B04", red), ("B08", nir)):
        _write(inbox / folder / f"T52SCG_20240610T021341_{band}_10m.tif", _stored(values, stored_offset))
    found = take_inventory(inbox)
    assert [(d.role, d.product, [p.fields for p in d.parts]) for d in found.datasets] == [
        ("ndvi", "SENTINEL2_BANDS", [("red",), ("nir",)])
    ]
    report = _build(inbox, tmp_path / "ndvi.tif")
    assert _inside(tmp_path / "ndvi.tif") == pytest.approx(_expected(red, nir), abs=2e-3)
    assert report.day == "2024-06-10"
    assert report.coverage_pct == 100
    assert report.notes == ()
    assert report.mean == pytest.approx(_expected(red, nir).mean(), abs=1e-3)


@pytest.mark.parametrize("stored_offset", [0, 1000])
def test_without_a_baseline_the_darkest_cells_tell(inbox, tmp_path, stored_offset):
    red, nir = _bands()
    for band, values in (("B04", red), ("B08", nir)):
        _write(inbox / f"T52SCG_20240610T021341_{band}.tif", _stored(values, stored_offset))
    report = _build(inbox, tmp_path / "ndvi.tif")
    assert _inside(tmp_path / "ndvi.tif") == pytest.approx(_expected(red, nir), abs=2e-3)
    assert f"offset {-stored_offset:g} taken" in report.notes[0]


def test_a_pair_in_jpeg2000(inbox, tmp_path):
    red, nir = _bands()
    lossless = {"driver": "JP2OpenJPEG", "QUALITY": "100", "REVERSIBLE": "YES"}
    for band, values in (("B04", red), ("B08", nir)):
        _write(inbox / f"T52SCG_20210610T021341_{band}_10m.jp2", _stored(values), **lossless)
    _build(inbox, tmp_path / "ndvi.tif")
    assert _inside(tmp_path / "ndvi.tif") == pytest.approx(_expected(red, nir), abs=2e-3)


def test_a_lone_band_is_told_and_not_used(inbox, tmp_path):
    _write(inbox / "T52SCG_20240610T021341_B04_10m.tif", _stored(_bands()[0]))
    problems = take_inventory(inbox).problems
    assert ["nir (B08)" in p.what for p in problems] == [True]
    assert _build(inbox, tmp_path / "ndvi.tif") is None


def test_an_aerial_photograph_with_infrared(inbox, tmp_path):
    red, nir = (np.round(band * 400).astype("uint8") for band in _bands((600, 600)))
    photo = np.stack([red, red, red, nir])
    photo[:, :20, :20] = 0
    _write(inbox / "37612013.tif", photo, cell=1.0, photometric="RGB", alpha="unspecified")
    found = take_inventory(inbox)
    assert [(d.product, d.parts[0].fields) for d in found.datasets] == [
        ("AERIAL_4BAND", ("red", "green", "blue", "nir"))
    ]
    report = _build(inbox, tmp_path / "ndvi.tif", _area(WEST, NORTH - 100, 100.0))
    low, high = red[:100, :100].astype(float), nir[:100, :100].astype(float)
    expected = (high - low) / (high + low)
    expected[:20, :20] = np.nan
    made = _inside(tmp_path / "ndvi.tif", _area(WEST, NORTH - 100, 100.0))
    assert made == pytest.approx(expected, abs=1e-6, nan_ok=True)
    assert report.coverage_pct == pytest.approx(96.0)


def test_a_photograph_with_transparency_or_three_bands_is_not_used(inbox):
    photo = np.full((4, 50, 50), 100, dtype="uint8")
    _write(inbox / "a.tif", photo, photometric="RGB", alpha="YES")
    _write(inbox / "b.tif", photo[:3], photometric="RGB")
    assert take_inventory(inbox).datasets == ()


@pytest.mark.parametrize("declared", [True, False])
def test_a_ready_index_in_ten_thousandths(inbox, tmp_path, declared):
    index = np.random.default_rng(5).uniform(-0.2, 0.9, (60, 60))
    stored = np.round(index * 10_000).astype("int16")
    stored[12, 12] = -32768
    _write(inbox / "K3A_20230605_NDVI.tif", stored, nodata=-32768, **({"scales": 0.0001} if declared else {}))
    report = _build(inbox, tmp_path / "ndvi.tif")
    expected = index[10:50, 10:50].copy()
    expected[2, 2] = np.nan
    assert _inside(tmp_path / "ndvi.tif") == pytest.approx(expected, abs=1e-4, nan_ok=True)
    assert (report.product, report.day) == ("NDVI", "2023-06-05")
    assert report.coverage_pct == pytest.approx(100 - 100 / 1600)


def test_another_crs_and_the_mean_of_a_parcel(inbox, tmp_path):
    """An index that rises by 0.05 per 100 m to the east, in UTM: a parcel has the value at its middle."""
    area = _area()
    middle = gpd.GeoSeries([area.area.centroid], crs="EPSG:5186").to_crs("EPSG:32652").iloc[0]
    east = (np.arange(200) - 100 + 0.5) * 10.0
    index = np.broadcast_to(0.3 + east / 2000.0, (200, 200)).astype("float32")
    origin = (middle.x - 1000.0, middle.y + 1000.0)
    _write(inbox / "a.tif", index, crs="EPSG:32652", origin=origin)
    report = _build(inbox, tmp_path / "ndvi.tif")
    assert report.cell_size_m == 10.0
    half = 30.0
    parcels = gpd.GeoDataFrame(
        {"pnu": ["a"]}, geometry=[area.area.centroid.buffer(half, cap_style="square")], crs="EPSG:5186"
    )
    found = ndvi_green_share(parcels, "pnu", tmp_path / "ndvi.tif", threshold=None)
    assert list(found.columns) == ["ndvi_mean", "ndvi_known_pct"]
    assert found.loc["a", "ndvi_mean"] == pytest.approx(0.3, abs=1e-3)
    assert found.loc["a", "ndvi_known_pct"] == pytest.approx(100.0)
    both = ndvi_green_share(parcels, "pnu", tmp_path / "ndvi.tif", threshold=0.3)
    pd.testing.assert_series_equal(both["ndvi_mean"], found["ndvi_mean"])


def test_the_newest_day_and_the_first_product_are_used(inbox, tmp_path):
    for day, value in (("20230605", 0.2), ("20240605", 0.6)):
        values = np.full((60, 60), value, dtype="float32")
        values[0, 0] = -0.1
        _write(inbox / f"a_{day}.tif", values)
    red, nir = _bands()
    for band, values in (("B04", red), ("B08", nir)):
        _write(inbox / f"T52SCG_20250610T021341_{band}.tif", _stored(values))
    report = _build(inbox, tmp_path / "ndvi.tif")
    assert (report.day, report.mean) == ("2024-06-05", pytest.approx(0.6))
    assert any("1 image(s) of other days are not used" in note for note in report.notes)
    assert any("SENTINEL2_BANDS" in note for note in report.notes)


def test_sheets_of_one_day_are_laid_together(inbox, tmp_path):
    for number, (value, origin) in enumerate([(0.2, (WEST, NORTH)), (0.6, (WEST + 300, NORTH))]):
        values = np.full((60, 30), value, dtype="float32")
        values[0, 0] = -0.1
        _write(inbox / f"{number}.tif", values, origin=origin)
    assert _build(inbox, tmp_path / "ndvi.tif").coverage_pct == 100
    made = _inside(tmp_path / "ndvi.tif")
    assert (made[:, :19] == np.float32(0.2)).all()
    assert (made[:, 21:] == np.float32(0.6)).all()


def test_nothing_reaches_the_area(inbox, tmp_path):
    _write(inbox / "a.tif", np.linspace(-0.5, 0.5, 3600, dtype="float32").reshape(60, 60), origin=(WEST + 9000, NORTH))
    assert _build(inbox, tmp_path / "ndvi.tif") is None


def test_bands_of_different_grids_are_refused(inbox, tmp_path):
    red, nir = _bands()
    _write(inbox / "T52SCG_20240610T021341_B04.tif", _stored(red))
    _write(inbox / "T52SCG_20240610T021341_B08.tif", _stored(nir)[:30], cell=20.0)
    with pytest.raises(InputError, match="do not lie on one grid"):
        _build(inbox, tmp_path / "ndvi.tif")


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        # an index stretched over a byte for display, and the same as decimals; a float index in ten-thousandths
        (np.linspace(0, 255, 3600).astype("uint8"), "whole numbers from 1 to 254"),
        (np.linspace(0, 255, 3600).astype("float32"), "% of the cells lie outside -1..1"),
        (np.linspace(-2000, 9000, 3600).astype("float32"), "% of the cells lie outside -1..1"),
    ],
)
def test_an_index_of_unknown_scale_is_not_used_and_gets_a_reason(inbox, tmp_path, stored, words):
    _write(inbox / "index.tif", stored.reshape(60, 60))
    found = take_inventory(inbox, {"ndvi": SourceSpec(path="index.tif")})
    report, told = _told(inbox, tmp_path / "ndvi.tif", found.datasets_for("ndvi"))
    assert report is None
    assert [(key, reason) for key, reason, _ in told] == [("index.tif", "ndvi_scale")]
    # only cells in and beside the study area are looked at
    assert words.split(" from")[0] in told[0][2]


def test_one_sheet_of_wrong_scale_leaves_the_others(inbox, tmp_path):
    west, east = np.full((60, 30), 0.5, dtype="float32"), np.full((60, 30), 128, dtype="float32")
    west[0, 0] = east[0, 0] = -0.5
    _write(inbox / "a" / "20230605_west.tif", west)
    _write(inbox / "b" / "20230605_east.tif", east, origin=(WEST + 300, NORTH))
    found = take_inventory(inbox, {"ndvi": SourceSpec(path="a/20230605_west.tif")}).datasets_for("ndvi")
    other = take_inventory(inbox, {"ndvi": SourceSpec(path="b/20230605_east.tif")}).datasets_for("ndvi")
    both = [*found, *(dataset.model_copy(update={"product": found[0].product}) for dataset in other)]
    report, told = _told(inbox, tmp_path / "ndvi.tif", both)
    assert report is not None
    assert report.images == ("a/20230605_west.tif",)
    assert [(key, reason) for key, reason, _ in told if reason == "ndvi_scale"] == [
        ("b/20230605_east.tif", "ndvi_scale")
    ]
    # 200 m of the 400 m of the study area lie under the western sheet
    assert report.coverage_pct == pytest.approx(50, abs=2)
    assert [reason for _, reason, _ in told if reason == "ndvi_unknown"]


def test_clouds_over_satellite_bands_are_unknown_ground(inbox, tmp_path):
    red, nir = _bands()
    red[20:30, 20:30], nir[20:30, 20:30] = 0.55, 0.60
    for name, band in (("B04", red), ("B08", nir)):
        _write(inbox / "S2B_MSIL2A_20240610T021341_N0510_R060.SAFE" / f"T52SCG_{name}_10m.tif", _stored(band, 1000))
    found = take_inventory(inbox)
    report, told = _told(inbox, tmp_path / "ndvi.tif", found.datasets_for("ndvi"))
    assert [(reason, detail) for _, reason, detail in told if reason == "ndvi_cloud"] == [("ndvi_cloud", "100 cells")]
    assert report.coverage_pct == pytest.approx(100 - 100 * 100 / 1600)
    values = _inside(tmp_path / "ndvi.tif")
    assert np.isnan(values[10:20, 10:20]).all()
    assert np.isfinite(values).sum() == 1500


def test_values_beyond_one_are_left_out_and_told(inbox, tmp_path):
    index = np.full((60, 60), 5000, dtype="int16")
    index[20, 20] = 10_000
    index[0, 0] = -9000
    _write(inbox / "a.tif", index, scales=0.00021)
    with rasterio.open(inbox / "a.tif", "r+") as raster:
        raster.scales = [0.0001]
        raster.offsets = [0.5]
    report = _build(inbox, tmp_path / "ndvi.tif")
    assert "1 cells lie outside -1..1" in report.notes[0]


@pytest.mark.parametrize(
    ("path", "day"),
    [
        ("S2B_MSIL2A_20240610T021341_N0510/x_B04.jp2", "2024-06-10"),
        ("a/2023-06-05.tif", "2023-06-05"),
        ("37612013.tif", ""),
    ],
)
def test_day_of_a_path(path, day):
    assert day_of(path) == day


@pytest.mark.realdata
def test_arithmetic_on_real_bands(shared_data, inbox, tmp_path):
    """Sentinel-2 bands of a dry land, moved to Korea: the index is that of numpy."""
    bands = []
    for name in ("red", "nir"):
        with rasterio.open(shared_data / "oracles" / f"{name}_band.nc") as raster:
            bands.append(raster.read(1))
    for band, values in zip(("B04", "B08"), bands, strict=True):
        _write(inbox / f"T52SCG_20210610T021341_N0300_{band}.tif", np.round(values).astype("uint16"))
    area = _area(WEST + 100, NORTH - 1900, 1800.0)
    report = _build(inbox, tmp_path / "ndvi.tif", area)
    red, nir = (np.round(band)[10:190, 10:190] for band in bands)
    assert _inside(tmp_path / "ndvi.tif", area) == pytest.approx((nir - red) / (nir + red), abs=1e-6)
    assert report.mean == pytest.approx(float(((nir - red) / (nir + red)).mean()), abs=1e-6)


def test_a_source_of_the_site_file(inbox, tmp_path):
    """One band is the index; several have to say what they are."""
    _write(inbox / "a.tif", np.full((60, 60), 0.4, dtype="float32"))
    named = take_inventory(inbox, {"ndvi": SourceSpec(path=Path("a.tif"))})
    assert build_ndvi(inbox, named.datasets_for("ndvi"), _area(), tmp_path / "n.tif").mean == pytest.approx(0.4)
    _write(inbox / "b.tif", np.full((2, 60, 60), 40, dtype="uint8"))
    named = take_inventory(inbox, {"ndvi": SourceSpec(path=Path("b.tif"))})
    with pytest.raises(InputError, match="has 2 bands and does not say which"):
        build_ndvi(inbox, named.datasets_for("ndvi"), _area(), tmp_path / "n.tif")
