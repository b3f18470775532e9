"""The biotope area ratio of a plan: new blocks get the surfaces that ``planned.yaml`` states, beside the footprints in them."""

from __future__ import annotations

from functools import cache

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.errors import InputError
from geodata.parameters import Parameters, load_parameters
from twin.green.biotope.ratio import RATIO_COLUMNS, ratio_pct, surfaces_of
from twin.green.biotope.rules import OWN_RULES, SURFACES, RuleSet, rule_set, verdict
from twin.green.biotope.surfaces import Surfaces
from twin.overlay import shared_areas, small_parts


@cache
def planned_parameters() -> Parameters:
    """Return the values of ``planned.yaml``."""
    return load_parameters("twin.green.biotope", "planned.yaml")


def standards(parameters: Parameters) -> dict[str, np.ndarray]:
    """Return the share of each of `SURFACES` in the open ground of each use, summing to 1.

    Raises
    ------
    InputError
        If a use names an unknown surface or its shares do not sum to 1.
    """
    found = {}
    for use, shares in parameters["open_ground"].items():
        row = np.array([float(shares.get(surface, 0.0)) for surface in SURFACES])
        if set(shares) - set(SURFACES) or (row < 0).any() or abs(row.sum() - 1.0) > 1e-9:
            raise InputError(
                f"planned.yaml: shares of {use} must be known surfaces that sum to 1 · {use}의 표면 비율 합은 1이어야 함"
            )
        found[use] = row
    return found


def planned_surfaces(
    land_cover: gpd.GeoDataFrame,
    green: gpd.GeoDataFrame | None,
    buildings: gpd.GeoDataFrame | None,
    ground: gpd.GeoDataFrame,
    use_of_block: pd.Series,
) -> Surfaces:
    """Return the surfaces of a plan: footprints are roofs, the open ground of new blocks follows its use, the rest is as it is.

    Parameters
    ----------
    land_cover
        Land cover of the plan; what the plan brings (`source_kind` ``plan``) gives way to ``ground``.
    green, buildings
        Of the plan, as `surfaces_of` takes them.
    ground
        Ground that the plan changes, with `block_id`.
    use_of_block
        `use_class` by `block_id`.

    Raises
    ------
    InputError
        If ``planned.yaml`` says nothing of a use.
    """
    known = standards(planned_parameters())
    uses = ground["block_id"].map(use_of_block)
    odd = sorted(set(uses) - set(known))
    if odd:
        raise InputError(f"planned.yaml says nothing of {', '.join(odd)} · 용도별 표면 비율이 없음")
    rest = surfaces_of(land_cover[land_cover["source_kind"] != "plan"], green, buildings)
    parts, owner = small_parts(ground.geometry.to_numpy())
    names = list(known)
    kind = len(SURFACES) + pd.Categorical(uses, categories=names).codes.astype(np.intp)[owner]
    mix = np.vstack([rest.mix, *known.values()])
    under, under_kind = np.concatenate([rest.under, parts]), np.concatenate([rest.under_kind, kind])
    return Surfaces(rest.top, rest.top_kind, under, under_kind, mix)


def planned_ratio(features: gpd.GeoDataFrame, areas: pd.DataFrame) -> pd.DataFrame:
    """Return `biotope_planned_pct` of ``features`` by the own rule set from their ``areas`` by surface [m2]."""
    ratio = ratio_pct(areas, shapely.area(features.geometry.to_numpy()), rule_set(OWN_RULES))
    return pd.DataFrame({"biotope_planned_pct": ratio}, index=areas.index)


def present_and_planned(present: pd.DataFrame, planned: pd.DataFrame) -> pd.DataFrame:
    """Return the present ratios beside the planned one, rows by the same key, and `biotope_change_pct` between the two [%p]."""
    told = present.join(planned)
    told["biotope_change_pct"] = told["biotope_planned_pct"] - told[RATIO_COLUMNS[OWN_RULES]]
    return told


def block_targets(ratios: pd.DataFrame, blocks: pd.DataFrame, rules: RuleSet | None = None) -> pd.DataFrame:
    """Return ``ratios`` (by `block_id`) with target, its basis and what may be said of the planned ratio.

    Targets by use are unverified as long as ``planned.yaml`` says so, whatever the rule set.
    """
    own = rule_set(OWN_RULES) if rules is None else rules
    record = planned_parameters().record("target_by_use_pct")
    use = blocks.set_index("block_id")["use_class"].reindex(ratios.index)
    target = use.map(record.value).astype("float64")
    basis = pd.Series("use", index=ratios.index, dtype="str").where(target.notna())
    told = ratios.assign(biotope_target_pct=target, biotope_target_basis=basis)
    check = verdict(own, told["biotope_planned_pct"], target)
    told["biotope_check"] = check if record.verified else check.where(check.isna(), "unverified")
    return told


def mean_targets(rows: gpd.GeoDataFrame, land: gpd.GeoDataFrame, target_pct: pd.Series) -> np.ndarray:
    """Return the mean target [%] of the land with one inside each of ``rows``, by area; NaN where there is none.

    ``target_pct`` stands in the order of ``land``.
    """
    aimed = target_pct.notna().to_numpy()
    values = target_pct.to_numpy("float64")[aimed]
    row, piece, area = shared_areas(rows.geometry.to_numpy(), land.geometry.to_numpy()[aimed])
    whole = np.bincount(row, weights=area, minlength=len(rows))
    sums = np.bincount(row, weights=area * values[piece], minlength=len(rows))
    return np.where(whole > 0, sums / np.where(whole > 0, whole, 1.0), np.nan)
