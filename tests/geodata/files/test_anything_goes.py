"""Whatever a file holds: every record has one fate, and nothing that is published is invalid. From the file to the layer."""

from __future__ import annotations

import tempfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from geodata.accounting import REASONS
from geodata.catalogue import LAYERS
from geodata.clean.buildings import clean_buildings
from geodata.clean.parcels import clean_parcels
from geodata.inbox import refuse, take_inventory
from geodata.vector_file import read_dataset

SOUND = 12
"""So many sound records stand beside the spoilt ones: a file of nothing but rubbish is not recognised."""
EAST, NORTH = 186_000.0, 537_000.0


def ring(x: float, y: float, size: float) -> list[tuple[float, float]]:
    return [(x, y), (x + size, y), (x + size, y + size), (x, y + size)]


def spoil(kind: str, x: float, y: float, size: float) -> shapely.Geometry | None:
    """Return a square spoilt in one of the ways that real files know."""
    corners = ring(x, y, size)
    third = size / 3
    match kind:
        case "none":
            return None
        case "empty":
            return shapely.Polygon()
        case "bow-tie":
            return shapely.Polygon([corners[0], corners[2], corners[1], corners[3]])
        case "collapsed":
            return shapely.Polygon([corners[0], corners[1], corners[0]])
        case "point-like":
            return shapely.Polygon([corners[0]] * 4)
        case "spike":
            return shapely.Polygon([*corners[:2], (x + 5 * size, y + size), *corners[2:]])
        case "own hole":
            return shapely.Polygon(corners, [corners[::-1]])
        case "hole outside":
            return shapely.Polygon(corners, [ring(x + 2 * size, y, third)])
        case "crossing hole":
            return shapely.Polygon(corners, [ring(x + size - third, y + third, 2 * third)])
        case "nested":
            return shapely.MultiPolygon([shapely.Polygon(corners), shapely.Polygon(ring(x + third, y + third, third))])
        case "overlapping parts":
            return shapely.MultiPolygon([shapely.Polygon(corners), shapely.Polygon(ring(x + third, y, size))])
        case "3D":
            return shapely.force_3d(shapely.Polygon(corners), 7.0)
        case "repeated points":
            return shapely.Polygon([point for point in corners for _ in range(3)])
        case "far away":
            return shapely.Polygon(ring(9e6, 9e6, size))
        case "not finite":
            return shapely.Polygon([*corners[:3], (np.inf, y)])
        case "outside":
            return shapely.Polygon(ring(x + 30_000.0, y, size))
        case "figure of eight":
            return shapely.Polygon(
                [
                    (x, y),
                    (x + size, y + size),
                    (x + 2 * size, y),
                    (x + 2 * size, y + size),
                    (x + size, y),
                    (x, y + size),
                ]
            )
        case _:
            return shapely.Polygon(corners)


GEOMETRIES = (
    "sound", "none", "empty", "bow-tie", "collapsed", "point-like", "spike", "own hole", "hole outside", "crossing hole", "nested",
    "overlapping parts", "3D", "repeated points", "far away", "not finite", "outside", "figure of eight",
)  # fmt: skip
DONG = "4121010500"
RECORD = st.fixed_dictionaries({
    "kind": st.sampled_from(GEOMETRIES),
    # a coarse grid, so that records meet and repeat each other
    "column": st.integers(0, 5), "row": st.integers(0, 3), "size": st.sampled_from([0.001, 4.0, 10.0, 25.0]),
    "pnu": st.sampled_from([f"{DONG}100010000", f"{DONG}100020001", f"{DONG}000030000", f"{DONG}B00010000", "4.12101E+18", "1", "", None]),
    "text": st.sampled_from(["12-3대", "산4임", "똠방각하", "", None, "  ", "0", "1-0-0"]),
    "number": st.sampled_from([0.0, -1.0, 9999.0, 3.0, 12.5, 1e9, None]),
    "floors": st.sampled_from([0, -1, 3, 255, 99999]),
    "use": st.sampled_from(["01000", "Z3000", "", None, "99999"]),
    "date": st.sampled_from(["20030513", "20031399", "0", "", None]),
})  # fmt: skip


def write(path: Path, role: str, records: list[dict], rich: bool) -> None:
    sound = [
        {"kind": "sound", "column": i, "row": 8, "size": 10.0, "pnu": f"{DONG}1{90 + i:04d}0000", "text": f"{90 + i}대",
         "number": 9.0, "floors": 3, "use": "01000", "date": "20030513"}
        for i in range(SOUND)
    ]  # fmt: skip
    rows = [*sound, *records]
    shapes = [spoil(r["kind"], EAST + 12.0 * r["column"], NORTH + 12.0 * r["row"], r["size"]) for r in rows]
    if not rich:
        # a polygon shapefile holds no heights, and GDAL writes no coordinates into it that are no numbers
        shapes = [
            None if s is None or s.is_empty or not np.isfinite(s.bounds).all() else shapely.force_2d(s) for s in shapes
        ]
    columns = {"PNU": [r["pnu"] for r in rows]}
    if role == "parcels":
        columns |= {"JIBUN": [r["text"] for r in rows], "BCHK": ["1"] * len(rows)}
    else:
        columns |= {
            "UFID": [f"U{i // 2}" for i in range(len(rows))], "BLD_NM": [r["text"] for r in rows],
            "GRND_FLR": [r["floors"] for r in rows], "UGRND_FLR": [r["floors"] for r in rows], "HEIGHT": [r["number"] for r in rows],
            "TOTALAREA": [r["number"] for r in rows], "STRCT_CD": ["21"] * len(rows), "USABILITY": [r["use"] for r in rows],
            "USEAPR_DAY": [r["date"] for r in rows], "BLDRGST_PK": [None] * len(rows),
        }  # fmt: skip
    frame = gpd.GeoDataFrame(columns, geometry=shapes, crs="EPSG:5186")
    if rich:
        pyogrio.write_dataframe(frame, path / "a.gpkg", geometry_type="Unknown", layer="a")
        return
    half = len(frame) // 2
    for name, part in (("a", frame.iloc[:half]), ("a(2)", frame.iloc[half:])):
        pyogrio.write_dataframe(part, path / f"{name}.shp", encoding="cp949", geometry_type="Polygon")
        (path / f"{name}.cpg").unlink(missing_ok=True)


@pytest.fixture(scope="module")
def area(site_area_of):
    return site_area_of(DONG)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("role", ["parcels", "buildings"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(records=st.lists(RECORD, max_size=14), rich=st.booleans(), boxed=st.booleans())
def test_every_record_has_one_fate_and_nothing_invalid_is_published(area, role, records, rich, boxed):
    with tempfile.TemporaryDirectory() as folder:
        inbox = Path(folder)
        write(inbox, role, records, rich)
        inventory = take_inventory(inbox)
        refuse(inventory)
        (dataset,) = inventory.datasets
        assert dataset.role == role
        raw = read_dataset(inbox, dataset, area.crs, area.area.buffer(50).bounds if boxed else None)
    total = SOUND + len(records)
    assert raw.read == total == raw.outside + len(raw.frame)
    layer = clean_parcels([raw], area) if role == "parcels" else clean_buildings([raw], area, None)
    account = layer.account
    account.verify()
    assert account.read == total == account.outside + account.published + account.merged + account.reasoned
    assert account.published == len(layer.features)
    event(f"published {account.published}, merged {account.merged}, reasoned {account.reasoned}")

    # whatever stands beside them, all sound records come out as they went in
    shapes = layer.features.geometry.to_numpy()
    whole = shapely.box(EAST + 12.0 * np.arange(SOUND), NORTH + 96, EAST + 12.0 * np.arange(SOUND) + 10, NORTH + 106)
    found = shapely.to_wkb(shapely.normalize(shapely.get_parts(shapes)))
    assert set(shapely.to_wkb(shapely.normalize(whole))) <= set(found)

    finished = LAYERS[role].finish(layer.features)
    assert LAYERS[role].problems(finished, area.crs) == []
    published = finished.geometry.to_numpy()
    assert shapely.is_valid(published).all()
    assert not shapely.has_z(published).any()
    assert (shapely.area(published) > 0).all()
    # every record that is not published is told of, by its reason; `outside` is a count
    dropped = layer.quality["reason"].map(lambda reason: REASONS[reason].outcome)
    assert (dropped == "merged").sum() == account.merged
    assert (dropped == "reasoned").sum() == account.reasoned
