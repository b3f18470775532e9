"""A demo site (가상 데이터): an imaginary district in the agencies' own formats and encodings, made from a seed.

Everything in it is invented but the legal dongs it lies in. The files carry defects as real deliveries do;
`truth.json` tells how many of each.
"""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import yaml

from geodata.demo.building_files import write_buildings
from geodata.demo.cadastre_files import write_cadastre
from geodata.demo.entrance_files import write_entrances
from geodata.demo.estates import estate_buildings, school_buildings
from geodata.demo.footprints import ordinary_buildings
from geodata.demo.land_cover_files import write_land_cover
from geodata.demo.landscape import build_land_cover
from geodata.demo.layout import Layout, build_layout
from geodata.demo.numbering import number_parcels
from geodata.demo.park_files import facilities, write_parks
from geodata.demo.plan_files import write_district, write_plan
from geodata.demo.plots import build_parcels
from geodata.demo.road_files import write_roads
from geodata.demo.spec import CRS, DESIGNS, Design, Size
from geodata.demo.stop_files import write_stops
from geodata.demo.street_network import street_network
from geodata.demo.terrain_files import write_terrain
from geodata.demo.weather_files import NORMAL_KWH_M2, NORMAL_SOURCE, STATION, write_weather
from geodata.errors import InputError

__all__ = ["write_demo"]

EMISSIONS_TCO2_KM2 = 35_000
"""Imagined emissions of the base year: as dense as those of Gwangmyeong, 1.34 Mt on 38.5 km2."""

STAGES = (
    "layout",
    "parcels",
    "homes",
    "cover",
    "cadastre_files",
    "building_files",
    "cover_files",
    "park_files",
    "plan_files",
    "weather_files",
    "road_files",
    "entrance_files",
    "stop_files",
)
"""What has a generator of its own, so that a change in one leaves the others as they were; a new one joins at the end."""

_README = """가상 데이터 / DEMO DATA

이 폴더의 모든 자료는 난수에서 만든 가상의 신도시입니다. 실제 필지, 건물, 토지피복, 지형, 기상이 아닙니다.
실제인 것은 법정동 경계와 코드뿐이며, 기관 자료의 형식과 흔한 오류를 흉내 냈습니다.

Everything in this folder is an imaginary new town made from a seed: no real parcel, building, land cover, terrain or
weather. Only the legal dongs and their codes are real. The files imitate the agencies' formats and their usual defects;
truth.json counts what was planted.

seed {seed}, size {size}
"""


def write_demo(folder: Path, size: Size = "town", seed: int = 41210) -> Path:
    """Write a demo site: ``site.yaml``, ``inbox/``, ``study_area.geojson``, ``README.txt`` and ``truth.json``.

    Parameters
    ----------
    folder : where the site goes; made if missing, and its demo files are replaced
    size : ``town`` is 1 km2 with about 800 buildings, ``district`` 12.7 km2 with 12,000 buildings and more
    seed : the same seed gives the same bytes

    Returns
    -------
    Path
        The site file.

    Raises
    ------
    InputError
        If ``size`` is unknown, or the inbox of ``folder`` holds files that no demo wrote.
    """
    if size not in DESIGNS:
        raise InputError(f"demo size {size!r} is unknown; choose one of {', '.join(DESIGNS)}")
    design = DESIGNS[size]
    folder = Path(folder)
    inbox = _clean_inbox(folder)
    (folder / "README.txt").write_text(_README.format(seed=seed, size=size), encoding="utf-8")
    seeds = np.random.SeedSequence(seed).spawn(len(STAGES))
    chance = {name: np.random.Generator(np.random.PCG64(own)) for name, own in zip(STAGES, seeds, strict=True)}

    layout = build_layout(design, chance["layout"])
    parcels = number_parcels(build_parcels(design, layout, chance["parcels"]))
    buildings = pd.concat(
        [make(parcels, chance["homes"]) for make in (ordinary_buildings, estate_buildings, school_buildings)],
        ignore_index=True,
    )
    cover = build_land_cover(layout, parcels, buildings, chance["cover"])
    parks = facilities(design, layout, parcels, chance["park_files"])
    network = street_network(parcels, buildings, parks)
    built_on = np.isin(np.arange(len(parcels)), buildings["parcel"])
    truth = {
        "note": "가상 데이터 / demo data: what was planted in the inbox, counted while it was written",
        "size": size,
        "seed": seed,
        "study_area_m2": round(layout.study.area, 1),
        "parcels": write_cadastre(inbox, parcels, built_on, layout.study, chance["cadastre_files"]),
        "buildings": write_buildings(inbox, buildings, parcels, layout.study, chance["building_files"]),
        "land_cover": write_land_cover(inbox, cover, layout.study, chance["cover_files"]),
        "parks": write_parks(inbox, layout, parks, chance["park_files"]),
        "plan_blocks": write_plan(inbox, design, layout, parcels, chance["plan_files"]),
        "district": write_district(inbox, design, layout),
        "terrain": write_terrain(inbox, layout.relief),
        "weather": write_weather(inbox, layout, chance["weather_files"]),
        "roads": write_roads(inbox, network.lines, layout.study, chance["road_files"]),
        "park_entrances": write_entrances(inbox, network.gates, parks, layout.study, chance["entrance_files"]),
        "bus_stops": write_stops(inbox, network.lines, layout.study, chance["stop_files"]),
    }
    (folder / "truth.json").write_text(json.dumps(truth, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    _write_study_area(folder, layout)
    return _write_site(folder, design)


def _clean_inbox(folder: Path) -> Path:
    """Return an empty inbox; only a demo's own files are removed."""
    inbox = folder / "inbox"
    inbox.mkdir(parents=True, exist_ok=True)
    present = sorted(inbox.iterdir())
    note = folder / "README.txt"
    if present and not (note.is_file() and "가상 데이터" in note.read_text(encoding="utf-8", errors="replace")):
        raise InputError(f"{inbox} holds files that no demo wrote; give another folder to write the demo to")
    for path in present:
        if path.is_file():
            path.unlink()
    return inbox


def _write_study_area(folder: Path, layout: Layout) -> None:
    """GeoJSON in degrees with nine decimals (0.1 mm)."""
    area = gpd.GeoSeries([layout.study], crs=CRS).to_crs("EPSG:4326")
    rings = [[[round(x, 9), round(y, 9)] for x, y in area.iloc[0].exterior.coords]]
    feature = {
        "type": "Feature",
        "properties": {"name": "가상 데이터"},
        "geometry": {"type": "Polygon", "coordinates": rings},
    }
    collection = {"type": "FeatureCollection", "features": [feature]}
    (folder / "study_area.geojson").write_text(json.dumps(collection, ensure_ascii=False) + "\n", encoding="utf-8")


def _write_site(folder: Path, design: Design) -> Path:
    site = {
        "name": design.name,
        "title": {"ko": design.title_ko, "en": design.title_en},
        "demo": True,
        "crs": CRS,
        "timezone": "Asia/Seoul",
        "study_area": {"path": "study_area.geojson"},
        "inbox": "inbox",
        "climate": {
            "base_year": 2018,
            "base_emissions_tco2": round(EMISSIONS_TCO2_KM2 * design.area_m2 / 1e6),
            "targets": {2030: 40, 2050: 100},
            "phase_in": {"first_year": 2027, "last_year": 2035},
            "source": "가상 데이터 / demo data",
        },
        "scenarios": ["existing", "planned"],
        "surface": {"cell_size_m": 0.5},
        "solar": {
            "azimuths": 72,
            "resource": {
                "station": STATION,
                "value": NORMAL_KWH_M2,
                "unit": "kWh/m2",
                "period": "long-term mean, period not stated by the source",
                "source": NORMAL_SOURCE,
                "verified": False,
            },
        },
    }
    text = "# 가상 데이터 / demo data: an imaginary town, written by `twin demo`. Paths start at this folder.\n"
    path = folder / "site.yaml"
    path.write_text(text + yaml.safe_dump(site, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path
