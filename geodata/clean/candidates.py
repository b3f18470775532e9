"""The steps that every clean layer begins and ends with, so that no record is lost on the way.

`gather` takes the raw layers of one role, sets aside what lies outside, what has no usable shape and what is there
twice, and returns the `Candidates`; whatever a layer then does to them goes through `drop`, `note` and `publish`, which
keep the books.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.accounting import REASONS, Account, CleanLayer, QualityLog
from geodata.clean import columns as read
from geodata.inventory import RawLayer, total
from geodata.repair import Mask, Repair, repair_polygons
from geodata.site import Role
from geodata.study_area import StudyArea


class Candidates:
    """Records that may be published, and the books about all others.

    ``features`` has the text columns as text, the number columns as float64 and valid polygons; its rows are in an order
    that depends on content alone, and its index counts from 0. Three columns are ours: ``source_key`` names the record
    in its source, ``copies`` counts the equal records that it stands for, ``layer`` says which raw layer it came from.
    """

    def __init__(self, role: Role, area: StudyArea, read_count: int) -> None:
        self.role = role
        self.area = area
        self.log = QualityLog(role, area.crs)
        self.read = read_count
        self.counts = {"outside": 0, "merged": 0, "reasoned": 0}
        self.measures: dict[str, float | int | str] = {}
        self.features = gpd.GeoDataFrame(geometry=[], crs=area.crs)

    def note(self, reason: str, which: pd.Series | Mask, detail: pd.Series | str = "") -> None:
        """Log ``reason`` for the features that ``which`` selects; they stay."""
        chosen = np.asarray(which, dtype=bool)
        rows = self.features[chosen]
        self.log.add(reason, rows["source_key"], rows.geometry, detail if isinstance(detail, str) else detail[chosen])

    def drop(self, reason: str, which: pd.Series | Mask, detail: pd.Series | str = "") -> None:
        """Log ``reason`` for the features that ``which`` selects, count them and take them out."""
        chosen = np.asarray(which, dtype=bool)
        self.note(reason, chosen, detail)
        self.counts[REASONS[reason].outcome] += int(chosen.sum())
        self.features = self.features[~chosen].reset_index(drop=True)

    def publish(self, features: gpd.GeoDataFrame) -> CleanLayer:
        """Return the clean layer; ``features`` must hold every record that was not dropped.

        Raises
        ------
        geodata.accounting.AccountingError
            If records read and records accounted for differ.
        """
        account = Account(source=self.role, read=self.read, published=len(features), **self.counts)
        account.verify()
        return CleanLayer(features, self.log.frame(), account, self.measures)


def gather(
    raw: Sequence[RawLayer],
    area: StudyArea,
    role: Role,
    *,
    texts: Sequence[str],
    quantities: Sequence[str] = (),
    labels: Sequence[str] = (),
    keep: Literal["inside", "touching"] = "inside",
    repair_shapes: Callable[[gpd.GeoSeries], Repair] = repair_polygons,
) -> Candidates:
    """Return the records of ``raw`` that count, with a valid shape and each only once.

    Parameters
    ----------
    raw
        All layers of one role, in the site's CRS.
    area
        The study area.
    role
        What the layers are for; the source that the quality table names.
    texts, quantities
        Columns read as text and as numbers; a layer that lacks one has it empty.
    labels
        Those of ``texts`` that are words for people: damaged ones are emptied and noted.
    keep
        ``inside``: whole features whose representative point is in the area; ``touching``: all that intersect it.
    repair_shapes
        What makes shapes usable: that of polygons, or of lines.
    """
    count, outside = total(raw)
    candidates = Candidates(role, area, count)
    candidates.counts["outside"] = outside
    records = _one_frame(raw, area, texts, quantities)

    # what lies beyond the area's bounds is outside before anything is repaired; broken coordinates are not "outside"
    repair = repair_shapes(records.geometry)
    bounds = records.geometry.bounds.to_numpy()
    west, south, east, north = area.area.bounds
    near = (bounds[:, 0] <= east) & (bounds[:, 2] >= west) & (bounds[:, 1] <= north) & (bounds[:, 3] >= south)
    shapely.prepare(area.area)
    judged = repair.shapes.copy()
    judged[~near] = None
    counts = shapely.intersects(area.area, shapely.point_on_surface(judged) if keep == "inside" else judged)
    collapsed = repair.collapsed & near
    collapsed[collapsed] = shapely.intersects(area.area, shapely.box(*bounds[collapsed].T))

    for reason, found in (
        ("no_geometry", repair.missing),
        ("coordinates_out_of_range", repair.out_of_range),
        ("geometry_collapsed", collapsed),
    ):
        candidates.log.add(reason, records.loc[found, "source_key"])
        candidates.counts["reasoned"] += int(found.sum())
    candidates.counts["outside"] += int((~(counts | repair.missing | repair.out_of_range | collapsed)).sum())

    records["repaired"], records["had_z"] = repair.repaired, repair.had_z
    records = records.set_geometry(gpd.GeoSeries(repair.shapes, index=records.index, crs=area.crs))[counts]
    content = [*texts, *quantities]
    shape = pd.Series(shapely.to_wkb(shapely.normalize(records.geometry.to_numpy())), index=records.index, dtype=object)
    ordered = records.assign(shape=shape).sort_values(["shape", *content, "layer", "source_key"], kind="stable")
    groups = ordered.groupby(["shape", *content], dropna=False, sort=False)
    ordered["copies"] = groups["shape"].transform("size").astype("int64")
    candidates.features = ordered.drop(columns="shape").reset_index(drop=True)
    repeated = groups.cumcount().to_numpy() > 0
    candidates.drop("exact_duplicate", repeated)
    candidates.note("geometry_repaired", candidates.features["repaired"])
    candidates.note("z_dropped", candidates.features["had_z"])
    candidates.note("curve_straightened", candidates.features["had_curve"])
    candidates.features = candidates.features.drop(columns=["repaired", "had_z", "had_curve"])
    _empty_damaged_labels(candidates, labels)
    return candidates


def _one_frame(
    raw: Sequence[RawLayer], area: StudyArea, texts: Sequence[str], quantities: Sequence[str]
) -> gpd.GeoDataFrame:
    frames = []
    for position, layer in enumerate(raw):
        source = layer.frame
        if source.crs is None or source.crs != area.crs:
            raise ValueError(f"{layer.dataset.product}: layer is in {source.crs}, the site in {area.crs}")
        data: dict[str, pd.Series | int] = {}
        blank = pd.Series(np.nan, index=source.index)
        for name in texts:
            data[name] = read.text(source.get(name, blank))
        for name in quantities:
            data[name] = read.numbers(source.get(name, blank))
        numbered = source.get("row_number", pd.Series(np.arange(len(source)), index=source.index)).astype("str")
        unnamed = layer.dataset.product + ":" + numbered
        data["source_key"] = read.text(source.get("source_key", blank)).fillna(unnamed)
        data["layer"] = position
        bent = source.get("had_curve")
        data["had_curve"] = pd.Series(False, index=source.index) if bent is None else bent.eq(True)
        frames.append(gpd.GeoDataFrame(data, geometry=source.geometry.to_numpy(), crs=area.crs, index=source.index))
    if not frames:
        names = {name: pd.Series([], dtype="str") for name in (*texts, "source_key")}
        names |= {name: pd.Series([], dtype="float64") for name in (*quantities, "layer")}
        names["had_curve"] = pd.Series([], dtype="bool")
        return gpd.GeoDataFrame(names, geometry=[], crs=area.crs)
    return gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), crs=area.crs)


def _empty_damaged_labels(candidates: Candidates, labels: Sequence[str]) -> None:
    features = candidates.features
    harmed = {name: read.damaged(features[name]) for name in labels}
    if not harmed:
        return
    detail = pd.Series("", index=features.index, dtype="str")
    for name, which in harmed.items():
        separator = np.where(detail == "", "", "; ")
        detail = detail.where(~which, detail + separator + name + ": " + features[name].fillna(""))
    candidates.note("text_damaged", detail != "", detail)
    candidates.features = features.assign(**{name: features[name].mask(which) for name, which in harmed.items()})
