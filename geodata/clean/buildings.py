"""Clean buildings: footprints with a stable identifier, a parcel, a dong and a height whose origin is told."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.accounting import CleanLayer
from geodata.class_tables import class_words, load_classes
from geodata.clean.building_register import fill_from_register, roof_checks
from geodata.clean.candidates import Candidates, gather
from geodata.clean.columns import dates, positive
from geodata.clean.drawn_twice import drop_drawn_twice
from geodata.clean.identifiers import identify
from geodata.clean.overlap import dong_codes
from geodata.clean.parcel_join import join_parcels, refuse_shifted_layers
from geodata.clean.road_uses import road_use_codes
from geodata.clean.same_footprint import merge_same_footprints
from geodata.clean.sheet_edges import join_cut_buildings
from geodata.clean.use_words import code_uses
from geodata.heights import estimate_heights, height_parameters
from geodata.inventory import RawLayer
from geodata.pnu import is_pnu, shift_land_type
from geodata.study_area import StudyArea

TEXTS = (
    "building_id", "source_id", "register_id", "pnu", "dong_code", "name", "part_name", "kind", "use_code", "use",
    "structure_code", "structure", "approved_on", "road_use_code",
)  # fmt: skip
LABELS = ("name", "part_name", "use", "structure")
QUANTITIES = ("floors_above", "floors_below", "height_m", "gross_floor_area_m2")
COLUMNS = (
    "building_id", "pnu", "dong_code", "name", "use_code", "use", "structure_code", "structure", "floors_above",
    "floors_below", "height", "height_source", "footprint_area_m2", "gross_floor_area_m2", "approved_on", "source_id",
)  # fmt: skip
TINY_M2 = 4.0


def clean_buildings(
    raw: Sequence[RawLayer],
    area: StudyArea,
    parcels: gpd.GeoDataFrame | None,
    register: pd.DataFrame | None = None,
) -> CleanLayer:
    """Return the buildings of the study area, sorted by `building_id`.

    Parameters
    ----------
    raw
        Building layers in the site's CRS.
    area
        The study area.
    parcels
        Clean parcels (`pnu`, `jimok`, geometry), or None where the site has none: buildings then keep the PNU of their
        source.
    register
        Clean building register, or None where there is none: it fills in what the buildings lack, before heights are
        settled, and adds `roof_type`.

    The column `roof_check` (`geodata.clean.building_register.roof_checks`) is there if a structure or a roof is known.

    Raises
    ------
    InputError
        If the buildings do not stand on their parcels, which a wrong CRS causes.
    geodata.accounting.AccountingError
        If a record is lost on the way.
    """
    candidates = gather(raw, area, "buildings", texts=TEXTS, quantities=QUANTITIES, labels=LABELS)
    drop_drawn_twice(candidates)
    merge_same_footprints(candidates)
    join_cut_buildings(candidates)
    rows = candidates.features
    pnu, raised = shift_land_type(rows["pnu"], rows["layer"])
    candidates.note("land_type_shifted", raised, "PNU: " + rows["pnu"].fillna(""))
    rows["pnu"] = pnu
    well_formed = is_pnu(rows["pnu"])
    claimed = rows["pnu"].where(well_formed)
    rows["source_pnu"] = rows["pnu"].fillna("")

    identifiers, shared = identify(
        rows, rows["building_id"], ("source_pnu", "register_id", "source_id"), (*TEXTS, *QUANTITIES), "b"
    )
    candidates.note("id_duplicate", shared, rows["building_id"].fillna(""))
    candidates.features = rows.assign(building_id=identifiers, pnu=claimed).sort_values(
        "building_id", ignore_index=True
    )
    if parcels is not None:
        _join(candidates, parcels)
    if register is not None:
        fill_from_register(candidates, register)
    buildings = candidates.features
    shapes = buildings.geometry.to_numpy()
    buildings["dong_code"] = dong_codes(buildings["pnu"], shapes, area)
    buildings["name"] = _full_name(buildings["name"], buildings["part_name"])
    _name_codes(candidates)
    buildings = candidates.features

    buildings["footprint_area_m2"] = buildings.geometry.area
    buildings["gross_floor_area_m2"] = positive(buildings["gross_floor_area_m2"])
    buildings["approved_on"] = dates(buildings["approved_on"])
    candidates.features = buildings
    _settle_heights(candidates)
    candidates.note("footprint_tiny", candidates.features["footprint_area_m2"] < TINY_M2)
    names = [*COLUMNS, *(["roof_type"] if register is not None else [])]
    checks = roof_checks(candidates.features["structure_code"], candidates.features.get("roof_type"))
    if register is not None or candidates.features["structure_code"].notna().any():
        candidates.features["roof_check"] = checks
        names.append("roof_check")
    return candidates.publish(candidates.features[[*names, "geometry"]])


def _join(candidates: Candidates, parcels: gpd.GeoDataFrame) -> None:
    rows = candidates.features
    shapes = rows.geometry.to_numpy()
    refuse_shifted_layers(rows["pnu"], shapes, parcels)
    join = join_parcels(rows["pnu"], shapes, parcels)
    claim = "source PNU: " + rows["source_pnu"].where(rows["source_pnu"] != "", "none")
    candidates.note("parcel_by_overlap", join.by_overlap, claim)
    candidates.note("no_parcel", join.without, claim)
    candidates.features = rows.assign(pnu=join.pnu)


def _full_name(name: pd.Series, part: pd.Series) -> pd.Series:
    """Return building name and part name (``ELS`` and ``101동``) as one, without saying the same twice."""
    both = name.notna() & part.notna() & (name != part)
    return name.fillna(part).where(~both, name + " " + part).astype("str")


def _name_codes(candidates: Candidates) -> None:
    """Fill in the words of use and structure where the source has only codes, and note unknown uses."""
    rows = candidates.features
    uses = load_classes("geodata.clean", "building_uses.yaml")
    given = rows["use_code"].str.upper().fillna(road_use_codes(rows["road_use_code"]))
    use, code = code_uses(rows["use"], given, rows["kind"])
    rows = rows.assign(use=use)
    words = class_words(code, uses, "ko").fillna(class_words(code.str.slice(0, 2) + "000", uses, "ko"))
    candidates.note("use_unknown", words.isna() & rows["use"].isna(), "use code: " + code.fillna("none"))
    structures = load_classes("geodata.clean", "building_structures.yaml")
    candidates.features = rows.assign(
        use_code=code,
        use=rows["use"].fillna(words),
        structure=rows["structure"].fillna(class_words(rows["structure_code"], structures, "ko")),
    )


def _settle_heights(candidates: Candidates) -> None:
    rows = candidates.features
    parameters = height_parameters()
    heights = estimate_heights(
        height_m=rows["height_m"],
        floors_above=rows["floors_above"],
        use_code=rows["use_code"],
        points=shapely.get_coordinates(shapely.point_on_surface(rows.geometry.to_numpy())),
        footprint_m2=rows["footprint_area_m2"].to_numpy(dtype=np.float64),
        parameters=parameters,
    )
    below = rows["floors_below"]
    believed = below.between(0, parameters["floors_below_maximum"]) & (below == np.floor(below))
    said = "recorded height: " + rows["height_m"].astype("str") + " m, floors: " + rows["floors_above"].astype("str")
    candidates.note("height_implausible", heights["height_implausible"], said)
    floors = "floors above: " + rows["floors_above"].astype("str") + ", below: " + below.astype("str")
    candidates.note("floors_implausible", heights["floors_implausible"] | ((below > 0) & ~believed), floors)
    candidates.note("height_default", heights["height_source"] == "default")
    candidates.features = rows.assign(
        height=heights["height"],
        height_source=heights["height_source"],
        floors_above=heights["floors_above"],
        floors_below=below.where(believed).astype("Int64"),
    )
