"""The biotope area ratio of the ground as it is: surfaces without overlap, weighed and summed over each feature.

ratio = sum over surfaces of weight x area / area of the feature. Footprints are roofs whatever the map says beneath them;
vegetation that an image sees is on soil; the rest follows the land cover map.
"""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.clean.land_cover import trim_overlaps
from twin.green.biotope.rules import (
    OWN_RULES,
    RULE_SETS,
    SURFACES,
    RuleSet,
    rule_set,
    surface_of_class,
    targets,
    verdict,
)
from twin.green.biotope.surfaces import Surfaces
from twin.green.vegetation import blend_parameters
from twin.overlay import small_parts

RATIO_COLUMNS = {"moe": "biotope_present_pct", "seoul": "biotope_seoul_pct", "berlin": "biotope_berlin_pct"}


def surfaces_of(
    land_cover: gpd.GeoDataFrame, green: gpd.GeoDataFrame | None, buildings: gpd.GeoDataFrame | None
) -> Surfaces:
    """Return the surfaces of the ground: roofs first, then vegetation seen by an image, then the land cover map.

    Parameters
    ----------
    land_cover
        Clean land cover without overlaps; classes outside the map are left out and stay unknown.
    green
        The layer `green`; its polygons of kind ``ndvi`` count.
    buildings
        Footprints; where two overlap, ground counts once.
    """
    shapes, kinds = [np.empty(0, dtype=object)], [np.empty(0, dtype=np.intp)]
    if buildings is not None and len(buildings):
        roofs, _ = trim_overlaps(buildings.geometry.to_numpy())
        shapes.append(roofs[~shapely.is_missing(roofs)])
        kinds.append(np.full(len(shapes[-1]), SURFACES.index("roof"), dtype=np.intp))
    if green is not None:
        seen = green.geometry.to_numpy()[green["source_kind"].eq("ndvi").to_numpy()]
        shapes.append(seen)
        kinds.append(np.full(len(seen), SURFACES.index("soil_green"), dtype=np.intp))
    named = land_cover["class_code"].map(surface_of_class())
    known = named.notna().to_numpy()
    parts, owner = small_parts(land_cover.geometry.to_numpy()[known])
    kind = pd.Categorical(named[known], categories=SURFACES).codes.astype(np.intp)[owner]
    return Surfaces(np.concatenate(shapes), np.concatenate(kinds), parts, kind)


def ratio_pct(areas: pd.DataFrame, total_m2: np.ndarray, rules: RuleSet | Mapping[str, float]) -> np.ndarray:
    """Return the biotope area ratio of each row of ``areas`` [%].

    Ground of unknown surface counts nothing, so the ratio is a lower bound; where less of a feature is known than
    ``blend.yaml`` asks for, there is no ratio (NaN).

    Parameters
    ----------
    areas
        Area by surface, with the columns `SURFACES` [m2].
    total_m2
        Area of each feature [m2].
    rules
        A rule set, or its weights alone.
    """
    weights = rules.weights if isinstance(rules, RuleSet) else rules
    values = areas[list(SURFACES)].to_numpy("float64")
    effective = values @ np.array([weights[surface] for surface in SURFACES])
    known = values.sum(axis=1)
    least = float(blend_parameters()["least_known_pct"]) / 100.0
    enough = (known > 0) & (known >= least * total_m2 * (1 - 1e-6))
    return np.where(enough, np.minimum(100.0 * effective / np.where(total_m2 > 0, total_m2, 1.0), 100.0), np.nan)


def present_ratios(features: gpd.GeoDataFrame, areas: pd.DataFrame) -> pd.DataFrame:
    """Return the present ratio of ``features`` by every rule set (`RATIO_COLUMNS`) from their ``areas`` by surface [m2]."""
    total = shapely.area(features.geometry.to_numpy())
    ratios = {RATIO_COLUMNS[name]: ratio_pct(areas, total, rule_set(name)) for name in RULE_SETS}
    return pd.DataFrame(ratios, index=areas.index)


def parcel_targets(ratios: pd.DataFrame, parcels: pd.DataFrame, land: pd.DataFrame | None) -> pd.DataFrame:
    """Return ``ratios`` (by `pnu`) with target, its basis and what may be said of the two, by the own rule set.

    ``parcels`` has `pnu` and `jimok`; ``land`` has `zoning` by `pnu` where it is known.
    """
    told = parcels[["pnu", "jimok"]].set_index("pnu").reindex(ratios.index)
    if land is not None and "zoning" in land.columns:
        told["zoning"] = land["zoning"].reindex(ratios.index)
    rules = rule_set(OWN_RULES)
    table = ratios.join(targets(rules, told))
    table["biotope_check"] = verdict(rules, table[RATIO_COLUMNS[OWN_RULES]], table["biotope_target_pct"])
    return table
