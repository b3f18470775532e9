"""How fast a province's parcels are taken in: files of up to a million records in three parts, read, repaired, clipped.

Target on two cores: 1,000,000 records in 60 s and less than 4 GB, and a cost that grows no faster than the records. Lots of
500 m2 lie around the seven dongs of the default site, so that about 6 % of a million are inside; one in a hundred is a
bow-tie, has no shape, is there twice, or has a parcel number that is none. Attributes are sparse, as in real files.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from geodata.clean.parcels import clean_parcels
from geodata.inbox import refuse, take_inventory
from geodata.site import Site
from geodata.study_area import StudyArea, build_study_area
from geodata.vector_file import read_dataset

PARTS = 3
LOT_M = (20.0, 25.0)
SITE = Path(__file__).parent.parent / "geodata" / "sites" / "gwangmyeong_siheung.yaml"
READ_MARGIN_M = 50.0


def write_province(folder: Path, rows: int, seed: int = 41210) -> None:
    """Write ``rows`` records as AL_D002 in three shapefiles, CP949 and without .cpg, around the default site."""
    rng = np.random.default_rng(seed)
    area = study_area()
    middle = shapely.get_coordinates(area.area.centroid)[0]
    side = int(np.ceil(np.sqrt(rows)))
    number = np.arange(rows)
    west = middle[0] + LOT_M[0] * (number % side - side / 2)
    south = middle[1] + LOT_M[1] * (number // side - side / 2)
    shapes = shapely.box(west, south, west + LOT_M[0], south + LOT_M[1])
    spoilt = rng.permutation(rows)
    hundredth = rows // 400
    knotted, bare, repeated, lettered = np.split(spoilt[: 4 * hundredth], 4)
    corners = np.stack([west, south, west + LOT_M[0], south + LOT_M[1]], axis=1)[knotted]
    bow_ties = np.stack(
        [corners[:, [0, 1]], corners[:, [2, 3]], corners[:, [2, 1]], corners[:, [0, 3]], corners[:, [0, 1]]], axis=1
    )
    shapes[knotted] = shapely.polygons(bow_ties)
    shapes[bare] = None
    dongs = area.dongs["dong_code"].to_numpy(dtype=object)
    dong = pd.Series(dongs[number % len(dongs)], dtype="str")
    lot = pd.Series(number // len(dongs) + 1)
    pnu = dong + "1" + (lot // 9999 + 1).astype("str").str.zfill(4) + (lot % 9999).astype("str").str.zfill(4)
    pnu[lettered] = dong[lettered] + "1BL" + pd.Series(lettered, index=lettered).astype("str").str.zfill(6).str[-6:]
    jibun = pd.Series(np.where(rng.random(rows) < 0.6, lot.astype("str") + "대", None), dtype="str")
    table = pd.DataFrame({
        "A0": number, "A1": pnu, "A2": dong, "A3": "경기도 광명시 노온사동", "A4": lot.astype("str"), "A5": jibun,
        "A6": "2026-09-01", "A7": dong.str.slice(0, 5),
    })  # fmt: skip
    frame = gpd.GeoDataFrame(table, geometry=shapes, crs=area.crs)
    # copies take the places of the last records, so that the number of records stays
    frame.iloc[-hundredth:] = frame.iloc[repeated].to_numpy()
    for part, rows_of in enumerate(np.array_split(number, PARTS)):
        name = "AL_D002_41_20260901" + (f"({part + 1})" if part else "")
        path = folder / f"{name}.shp"
        pyogrio.write_dataframe(frame.iloc[rows_of], path, encoding="CP949", geometry_type="Polygon")
        path.with_suffix(".cpg").unlink()


def study_area() -> StudyArea:
    """Return the study area of the default site: seven dongs, 31.8 km2."""
    return build_study_area(Site.load(SITE))


def measure(folder: Path) -> dict[str, float]:
    """Take in what lies in ``folder`` and return seconds, counts and the peak memory of this process [GB]."""
    area = study_area()
    started = time.perf_counter()
    inventory = take_inventory(folder)
    refuse(inventory)
    (dataset,) = inventory.datasets
    recognised = time.perf_counter()
    raw = read_dataset(folder, dataset, area.crs, area.area.buffer(READ_MARGIN_M).bounds)
    was_read = time.perf_counter()
    layer = clean_parcels([raw], area)
    done = time.perf_counter()
    layer.account.verify()
    return {
        "rows": raw.read, "published": layer.account.published, "inspect_s": recognised - started, "read_s": was_read - recognised,
        "clean_s": done - was_read, "total_s": done - started,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }  # fmt: skip


def main(arguments: list[str]) -> None:
    """Write and measure provinces of several sizes, each measured in a process of its own."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks parcels", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[250_000, 500_000, 1_000_000])
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.measure is not None:
        print(json.dumps(measure(options.measure)))
        return
    print(f"parcels in {PARTS} parts · {platform.machine()}, Python {platform.python_version()}")
    print(
        f"{'rows':>10} {'published':>10} {'inspect s':>10} {'read s':>8} {'clean s':>8} {'total s':>8} {'µs/row':>7} {'peak GB':>8}"
    )
    for rows in options.rows:
        with tempfile.TemporaryDirectory() as folder:
            write_province(Path(folder), rows)
            command = [sys.executable, "-m", "benchmarks", "parcels", "--measure", folder]
            answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - our own command
        found = json.loads(answer.splitlines()[-1])
        print(
            f"{found['rows']:>10,} {found['published']:>10,} {found['inspect_s']:>10.1f} {found['read_s']:>8.1f} {found['clean_s']:>8.1f} "
            f"{found['total_s']:>8.1f} {found['total_s'] / found['rows'] * 1e6:>7.1f} {found['peak_gb']:>8.2f}",
            flush=True,
        )
