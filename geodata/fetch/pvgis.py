"""A typical year from PVGIS for the middle of the town, into the inbox; it needs no key."""

from __future__ import annotations

import json
import tempfile
from datetime import date
from pathlib import Path

import geopandas as gpd
from shapely.geometry.base import BaseGeometry

from geodata.fetch.courtesy import Caller, FetchError, fetch_parameters
from geodata.fetch.inbox_file import put
from geodata.fetch.report import FetchReport
from geodata.weather.pvgis import read_pvgis

NAME = "PVGIS_TMY"


def fetch_typical_year(
    caller: Caller, area: BaseGeometry, crs: str, inbox: Path, today: date, *, url: str | None = None
) -> FetchReport:
    """Fetch the typical year of the middle of ``area`` as CSV; it is written only if pvlib's reader takes it.

    Raises
    ------
    FetchError
        If PVGIS does not answer or has nothing there.
    geodata.errors.InputError
        If what it answers is not a typical year.
    """
    middle = gpd.GeoSeries([area.representative_point()], crs=crs).to_crs("EPSG:4326").iloc[0]
    params = {"lat": f"{middle.y:.3f}", "lon": f"{middle.x:.3f}", "outputformat": "csv"}
    text = caller.get(
        url or fetch_parameters()["pvgis_url"], params, _csv, what=f"{NAME} {params['lat']} N {params['lon']} E"
    )
    content = text.encode("utf-8")
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder) / "pvgis.csv"
        trial.write_bytes(content)
        rows = len(read_pvgis(trial).frame)
    path, is_new = put(inbox, "pvgis_tmy", ".csv", content, today)
    return FetchReport(NAME, path, rows, is_new=is_new, pieces=1, calls=caller.calls)


def _csv(text: str) -> str:
    if text.lstrip().startswith("{"):
        try:
            said = json.loads(text).get("message", text[:200])
        except json.JSONDecodeError:
            said = text[:200]
        raise FetchError(f"PVGIS: {said}")
    return text
