"""Ranks candidates by yield, shading, access and size, each a score from 0 to 1 between stated bounds."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.parameters import Parameters
from twin.shortlist.candidates import shortlist_parameters

SCORES = ("yield", "shading", "access", "size")
WORDS = {
    "yield": ("발전량", "yield"),
    "shading": ("음영", "shading"),
    "access": ("접근", "access"),
    "size": ("규모", "size"),
}


def ranked(
    candidates: gpd.GeoDataFrame, roads: gpd.GeoDataFrame | None, values: Parameters | None = None
) -> gpd.GeoDataFrame:
    """Return the first of ``candidates`` with their scores, the best first.

    Parameters
    ----------
    candidates
        As `twin.shortlist.candidates` gives them.
    roads
        Lines or areas of roads with `road_source`; None where none are known, which leaves access out of the score.

    Returns
    -------
    GeoDataFrame
        With `site_rank`, `road_distance_m`, `road_source`, `score` and one column for each score. Of equal scores the
        smaller `site_id` comes first.
    """
    values = shortlist_parameters() if values is None else values
    frame = candidates.reset_index(drop=True)
    distance, source = np.full(len(frame), np.nan), np.full(len(frame), None, dtype=object)
    if roads is not None and len(roads) and len(frame):
        found, away = shapely.STRtree(roads.geometry.to_numpy()).query_nearest(
            frame.geometry.to_numpy(), return_distance=True, all_matches=False
        )
        distance[found[0]] = away
        source[found[0]] = roads["road_source"].to_numpy(dtype=object)[found[1]]
    frame["road_distance_m"] = distance
    frame["road_source"] = pd.Series(source, index=frame.index, dtype="str")
    of = {
        "yield": frame["specific_yield_kwh_kwp"].to_numpy("float64"),
        "shading": frame["shading_loss_pct"].to_numpy("float64"),
        "access": distance,
        "size": np.log(frame["capacity_kwp"].to_numpy("float64")),
    }
    bounds = {name: np.array(values["bounds"][name], dtype=np.float64) for name in SCORES}
    bounds["size"] = np.log(bounds["size"])
    scores = np.column_stack(
        [np.clip((of[name] - bounds[name][0]) / (bounds[name][1] - bounds[name][0]), 0.0, 1.0) for name in SCORES]
    )
    weights = np.array([float(values["weights"][name]) for name in SCORES])
    known = np.isfinite(scores)
    frame["score"] = (np.nan_to_num(scores) * weights).sum(axis=1) / (known * weights).sum(axis=1)
    for number, name in enumerate(SCORES):
        frame[f"{name}_score"] = scores[:, number]
    # ranks must not turn on the last digit of a float
    order = pd.DataFrame({"score": -frame["score"].round(6), "site_id": frame["site_id"]}).sort_values(
        ["score", "site_id"]
    )
    best = frame.loc[order.index[: int(values["entries"])]].reset_index(drop=True)
    best["site_rank"] = np.arange(1, len(best) + 1)
    return best.assign(**why(best, values))


def why(listed: pd.DataFrame, values: Parameters | None = None) -> dict[str, list[str]]:
    """Return `why_ko` and `why_en`: which scores of each site are high and which are low, by the stated limits."""
    values = shortlist_parameters() if values is None else values
    high, low = (float(values[name]) for name in ("high_score", "low_score"))
    told: dict[str, list[str]] = {"why_ko": [], "why_en": []}
    for row in listed[[f"{name}_score" for name in SCORES]].to_numpy():
        for column, place, words in (
            ("why_ko", 0, ("강점", "약점", "고르게 중간")),
            ("why_en", 1, ("strong", "weak", "middling in all")),
        ):
            strong = [WORDS[name][place] for name, score in zip(SCORES, row, strict=True) if score >= high]
            weak = [WORDS[name][place] for name, score in zip(SCORES, row, strict=True) if score < low]
            parts = [f"{word}: {', '.join(names)}" for word, names in zip(words, (strong, weak), strict=False) if names]
            told[column].append(" · ".join(parts) or words[2])
    return told
