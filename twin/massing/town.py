"""Buildings of all new blocks of a plan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.affinity import scale

from geodata.accounting import QualityLog
from geodata.class_tables import load_classes
from twin.massing.homes import shared_homes
from twin.massing.programme import programme
from twin.massing.rows import facing_angle_deg, rows_on
from twin.massing.rules import Pattern, massing_rules, pattern_of

PLANNED = "planned"


@dataclass(frozen=True)
class Massing:
    """Planned buildings, what should be known of their blocks, and counts."""

    buildings: gpd.GeoDataFrame
    quality: gpd.GeoDataFrame
    report: dict[str, Any]


def mass_blocks(blocks: gpd.GeoDataFrame) -> Massing:
    """Return buildings for ``blocks``: as much floor area as the plan gives each, within its coverage and floors.

    Rows of bars follow the block and look south; rows of dwellings keep the distance that their height asks for. Bars that are
    not needed are left out evenly (schools fill from the back, which leaves the yard in the sun), and the rest is shortened
    until the floor area is met. Homes are shared out by floor area to the last one.

    Parameters
    ----------
    blocks
        New blocks of `twin.scenario.blocks.judge_blocks`: `block_id`, `dong_code`, `use_class`, `area_m2`, limits and `homes`.
        Uses without a pattern get no building.

    Returns
    -------
    Massing
        Buildings carry the columns of the clean layer, `block_id`, `status`, `homes`, `homes_source`, `floor_area_m2` and
        `floor_area_source`, sorted by `building_id`, which is the block's number with a counter.
    """
    built = blocks[[pattern_of(use) is not None for use in blocks["use_class"]]].sort_values(
        "block_id", ignore_index=True
    )
    asked = programme(built)
    log = QualityLog("plan_blocks", str(blocks.crs))
    shapes: list[np.ndarray] = []
    floors = np.zeros(len(built), dtype=int)
    for at, (shape, use) in enumerate(zip(built.geometry, built["use_class"], strict=True)):
        pattern = pattern_of(use)
        assert pattern is not None  # noqa: S101 uses without one were left out above
        wanted = asked.iloc[at]
        found, floors[at] = _fill(shape, pattern, use, wanted)
        shapes.append(found)
    counts = np.array([len(found) for found in shapes], dtype=int)
    owner = np.repeat(np.arange(len(built)), counts)
    footprints = np.concatenate(shapes) if shapes else np.empty(0, dtype=object)
    frame = _buildings(built, asked, owner, footprints, floors)
    reached = np.bincount(owner, weights=frame["floor_area_m2"], minlength=len(built))
    _reasons(log, built, asked, reached)
    tolerance = float(massing_rules()["tolerance"])
    met = np.abs(reached - asked["asked_m2"]) <= tolerance * asked["asked_m2"]
    report = {
        "blocks_built": int((counts > 0).sum()),
        "blocks_within_tolerance": int(met.sum()),
        "buildings_planned": len(frame),
        "floor_area_m2": round(float(reached.sum()), 1),
        "homes": int(frame["homes"].sum()),
    }
    return Massing(frame.sort_values("building_id", ignore_index=True), log.frame(), report)


def _fill(
    block: shapely.Polygon | shapely.MultiPolygon, pattern: Pattern, use: str, wanted: pd.Series
) -> tuple[np.ndarray, int]:
    """Return footprints on one block and their floors; together they hold the floor area that is wanted, or all that fits."""
    rules = massing_rules()
    most, target = int(wanted["floors"]), float(wanted["floor_area_m2"])
    if target <= 0:
        return np.empty(0, dtype=object), 0
    facing = facing_angle_deg(block, float(rules["south_tolerance_deg"]))
    if shapely.buffer(block, -pattern.setback_m - pattern.depth_m / 2).is_empty:
        # a strip carries what is narrow enough for it
        pattern = replace(
            pattern, depth_m=pattern.depth_m / 2, setback_m=pattern.setback_m / 2, shortest_m=pattern.shortest_m / 2
        )
    if pattern.dwelling:
        # the lowest of a few heights that holds what is wanted: more and lower houses rather than a few towers at the limit
        for share in rules["dwelling_floor_shares"]:
            floors = max(1, round(share * most))
            distance = float(rules["storey_spacing_ratio"]) * floors * float(wanted["storey_m"])
            bars = rows_on(block, pattern, facing, max(pattern.row_gap_m, distance))
            room = min(float(wanted["ground_m2"]), float(shapely.area(bars).sum()))
            if room * floors >= target:
                break
        if not len(bars):
            return _one_building(block, target / most), most
        return _shortened(_chosen(bars, target / floors, from_back=False), target / floors, facing), floors
    ground = float(wanted["ground_m2"])
    # rows may also run the other way where that holds more; dwellings must look south
    ways = [(rows_on(block, pattern, way, pattern.row_gap_m), way) for way in (facing, facing - 90.0)]
    rooms = [min(ground, float(shapely.area(bars).sum())) for bars, _ in ways]
    bars, facing = ways[0] if rooms[0] * most >= target or rooms[0] >= rooms[1] else ways[1]
    fits = rooms[1] if bars is ways[1][0] else rooms[0]
    if fits * most < target:
        whole = _one_building(block, target / most)
        if float(shapely.area(whole).sum()) > fits:
            return whole, most
    # no taller than needed: shops and schools are built wide before they are built high
    floors = min(most, max(1, int(np.ceil(target / fits - 1e-9)))) if fits > 0 else most
    return _shortened(_chosen(bars, target / floors, from_back=use == "school"), target / floors, facing), floors


def _chosen(bars: np.ndarray, footprint: float, *, from_back: bool) -> np.ndarray:
    """Return just enough of ``bars`` to hold ``footprint`` [m2], spread evenly or from the back row."""
    area = shapely.area(bars)
    if not len(bars):
        return bars
    if from_back:
        count = int(np.searchsorted(np.cumsum(area), footprint * (1 - 1e-12))) + 1
        return bars[:count]
    for count in range(max(1, int(footprint / np.max(area))), len(bars)):
        picked = np.unique(np.round(np.linspace(0, len(bars) - 1, count)).astype(int))
        if area[picked].sum() >= footprint:
            return bars[picked]
    return bars


def _shortened(bars: np.ndarray, footprint: float, facing_deg: float) -> np.ndarray:
    """Return ``bars`` shortened along their rows so that they cover ``footprint`` [m2]; as they are where they cover less."""
    if not len(bars):
        return bars
    share = footprint / shapely.area(bars).sum()
    if share >= 1:
        return bars
    # a lone bar that would become a stub is made smaller both ways
    along, across = (share, 1.0) if share > 0.5 or len(bars) > 1 else (share**0.5, share**0.5)
    turn = np.radians(facing_deg - 180.0)
    east = np.array([np.cos(turn), -np.sin(turn)])
    north = np.array([np.sin(turn), np.cos(turn)])
    squeeze = along * np.outer(east, east) + across * np.outer(north, north)
    middles = shapely.get_coordinates(shapely.centroid(bars))
    points, index = shapely.get_coordinates(bars, return_index=True)
    moved = middles[index] + (points - middles[index]) @ squeeze.T
    return np.asarray(shapely.set_coordinates(bars.copy(), moved))


def _one_building(block: shapely.Polygon | shapely.MultiPolygon, footprint: float) -> np.ndarray:
    """Return one building in the shape of a block that is too small for a row, none where even that does not fit."""
    part = max(shapely.get_parts(block), key=lambda polygon: polygon.area)
    side = (min(footprint, 0.9 * part.area) / part.area) ** 0.5
    middle = part.centroid if part.contains(part.centroid) else part.representative_point()
    shape = scale(shapely.Polygon(part.exterior), side, side, origin=middle)
    inside = part.covers(shape) and shape.is_valid
    return np.array([shape] if inside else [], dtype=object)


def _buildings(
    blocks: gpd.GeoDataFrame, asked: pd.DataFrame, owner: np.ndarray, footprints: np.ndarray, floors: np.ndarray
) -> gpd.GeoDataFrame:
    count = len(owner)
    number = pd.Series(owner).groupby(owner).cumcount() + 1
    of_block = blocks.iloc[owner].reset_index(drop=True)
    programme_of = asked.iloc[owner].reset_index(drop=True)
    names = {code: words["ko"] for code, words in load_classes("geodata.clean", "building_uses.yaml").items()}
    storeys = floors[owner]
    ground = shapely.area(footprints)
    nothing = pd.Series([None] * count, dtype="str")
    homes = shared_homes(blocks, owner, ground * storeys)
    return gpd.GeoDataFrame(
        {
            "building_id": "plan-" + of_block["block_id"] + "-" + number.astype("str").str.zfill(3),
            "pnu": nothing,
            "dong_code": of_block["dong_code"],
            "name": nothing,
            "use_code": programme_of["use_code"],
            "use": programme_of["use_code"].map(names).astype("str"),
            "structure_code": nothing,
            "structure": nothing,
            "floors_above": pd.array(storeys, dtype="Int64"),
            "floors_below": pd.array([pd.NA] * count, dtype="Int64"),
            "height": storeys * programme_of["storey_m"].to_numpy(),
            "height_source": pd.Series(["floors"] * count, dtype="str"),
            "footprint_area_m2": ground,
            "gross_floor_area_m2": ground * storeys,
            "approved_on": pd.Series([pd.NaT] * count, dtype="datetime64[ms]"),
            "source_id": nothing,
            "floor_area_m2": ground * storeys,
            "floor_area_source": pd.Series([PLANNED] * count, dtype="str"),
            "block_id": of_block["block_id"],
            "status": pd.Series([PLANNED] * count, dtype="str"),
            "homes": homes,
            "homes_source": pd.Series(["plan"] * count, dtype="str").where(homes.notna()),
        },
        geometry=footprints,
        crs=blocks.crs,
    )


def _reasons(log: QualityLog, blocks: gpd.GeoDataFrame, asked: pd.DataFrame, reached: np.ndarray) -> None:
    rules = massing_rules()
    wanted = asked["floor_area_m2"].to_numpy()
    impossible = asked["impossible"].to_numpy()
    short = ~(reached >= wanted * (1 - float(rules["tolerance"])))
    homes = blocks["homes"].to_numpy("float64", na_value=np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        crowded = (homes > 0) & (reached / homes < float(rules["least_home_m2"]))
    told = {
        "plan_impossible": (
            impossible,
            [
                f"{a:,.0f} m2 asked, {m:,.0f} m2 fit coverage and floors"
                for a, m in zip(asked["asked_m2"], wanted, strict=True)
            ],
        ),
        "floor_area_not_reached": (
            short,
            [f"{r:,.0f} of {w:,.0f} m2" for r, w in zip(reached, wanted, strict=True)],
        ),
        "homes_implausible": (crowded, [f"{h:,.0f} homes on {r:,.0f} m2" for h, r in zip(homes, reached, strict=True)]),
    }
    for reason, (where, words) in told.items():
        detail = pd.Series(words, index=blocks.index, dtype="str")
        log.add(reason, blocks.loc[where, "block_id"], blocks.geometry[where], detail[where])
