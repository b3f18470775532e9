"""Clean plan blocks: the blocks of a land-use plan with their building limits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import shapely

from geodata.accounting import CleanLayer
from geodata.clean.candidates import Candidates, gather
from geodata.clean.columns import positive
from geodata.clean.identifiers import identify
from geodata.clean.overlap import dong_codes
from geodata.inventory import RawLayer
from geodata.repair import make_valid_polygons
from geodata.study_area import StudyArea

TEXTS = ("block_id", "land_use")
LIMITS = {
    "floor_area_ratio_pct": 2000.0,
    "building_coverage_pct": 100.0,
    "floors_limit": 200.0,
    "height_limit_m": 700.0,
}
"""Largest value of each limit that can be meant; zero means that none is given."""
QUANTITIES = (*LIMITS, "homes")
COLUMNS = ("block_id", "land_use", "dong_code", "area_m2", *QUANTITIES)
UNKNOWN_USE = "알 수 없음"


def clean_plan_blocks(raw: Sequence[RawLayer], area: StudyArea) -> CleanLayer:
    """Return the plan blocks of the study area, sorted by `block_id`.

    Rows that share a block number and agree in everything else are pieces of one block and are united; its homes count
    once. Rows that share a number but differ are told apart by an addition to the number. Zero is a real number of
    homes, but means "none given" for ratios and limits.

    Raises
    ------
    geodata.accounting.AccountingError
        If a record is lost on the way.
    """
    candidates = gather(raw, area, "plan_blocks", texts=TEXTS, quantities=QUANTITIES, labels=("land_use",))
    rows = candidates.features
    sound = {}
    strange = pd.Series(False, index=rows.index)
    for name, largest in LIMITS.items():
        value = positive(rows[name])
        whole = value == np.floor(value) if name == "floors_limit" else value.notna()
        sound[name] = value.where((value <= largest) & whole)
        strange |= value.notna() & sound[name].isna()
    homes = rows["homes"]
    sound["homes"] = homes.where((homes >= 0) & (homes == np.floor(homes)))
    strange |= homes.notna() & sound["homes"].isna()
    said = pd.Series("", index=rows.index, dtype="str")
    for name in QUANTITIES:
        odd = rows[name].notna() & sound[name].isna() & (rows[name] != 0)
        said = said.where(~odd, said + name + ": " + rows[name].astype("str") + " ")
    candidates.note("value_implausible", strange, said.str.strip())
    candidates.note("land_use_missing", rows["land_use"].isna())
    candidates.features = rows.assign(**sound, land_use=rows["land_use"].fillna(UNKNOWN_USE))
    _unite_pieces(candidates)

    rows = candidates.features
    identifiers, shared = identify(rows, rows["block_id"], ("land_use",), (*TEXTS, *QUANTITIES), "block-")
    candidates.note("id_duplicate", shared, rows["block_id"].fillna(""))
    blocks = rows.assign(block_id=identifiers).sort_values("block_id", ignore_index=True)
    blocks["dong_code"] = dong_codes(pd.Series(None, index=blocks.index, dtype="str"), blocks.geometry.to_numpy(), area)
    blocks["area_m2"] = blocks.geometry.area
    for name in ("floors_limit", "homes"):
        blocks[name] = blocks[name].astype("Int64")
    return candidates.publish(blocks[[*COLUMNS, "geometry"]])


def _unite_pieces(candidates: Candidates) -> None:
    rows = candidates.features
    alike = [*TEXTS, *QUANTITIES]
    numbered = rows["block_id"].notna()
    piece = rows.groupby(alike, dropna=False, sort=False).ngroup().where(numbered, -1 - np.arange(len(rows)))
    repeated = piece.duplicated()
    several = rows[piece.duplicated(keep=False)]
    united = several.groupby(piece[several.index])["geometry"].agg(lambda shapes: shapely.union_all(shapes.to_numpy()))
    shapes = rows.geometry.to_numpy().copy()
    first = piece[several.index].drop_duplicates()
    shapes[first.index] = make_valid_polygons(united.reindex(first.to_numpy()).to_numpy(dtype=object))
    candidates.drop("same_block", repeated, "block: " + rows["block_id"].fillna(""))
    candidates.features = candidates.features.set_geometry(
        type(rows.geometry)(shapes[~repeated.to_numpy()], crs=candidates.area.crs)
    )
