"""Clean parks: parks and green spaces as urban planning designates them, built or not."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from geodata.accounting import CleanLayer
from geodata.class_tables import class_words, load_classes
from geodata.clean.candidates import gather
from geodata.clean.columns import damaged, undo_mojibake
from geodata.clean.identifiers import identify
from geodata.clean.overlap import dong_codes
from geodata.inventory import RawLayer
from geodata.study_area import StudyArea

TEXTS = ("source_id", "class_code", "lclas", "mlsfc", "sclas", "name", "executed")
COLUMNS = ("park_id", "name", "class_code", "class_ko", "class_en", "status", "dong_code", "area_m2")


def clean_parks(raw: Sequence[RawLayer], area: StudyArea) -> CleanLayer:
    """Return parks and green spaces of the study area, sorted by `park_id`.

    The class is the finest that is given: `class_code`, else the last filled of `lclas`, `mlsfc`, `sclas` (sources
    shift these to the left). A code that the table does not know takes the words of its group (UQT2… park, UQT3… green);
    plazas and other space facilities are set aside. `status` is unknown unless the code for execution is known.
    `park_id` is the source's own number, or is minted where it is missing.

    Raises
    ------
    geodata.accounting.AccountingError
        If a record is lost on the way.
    """
    candidates = gather(raw, area, "parks", texts=TEXTS)
    rows = candidates.features
    code = rows["class_code"].fillna(rows["sclas"]).fillna(rows["mlsfc"]).fillna(rows["lclas"]).str.upper()
    classes = load_classes("geodata.clean", "park_classes.yaml")
    group = code.where(code.isin(list(classes)), code.str.slice(0, 4) + "00")
    words = {word: class_words(group, classes, word) for word in ("ko", "en", "kind")}
    readable = undo_mojibake(rows["name"])
    harmed = damaged(readable)
    candidates.note(
        "text_damaged", harmed | (readable.fillna("") != rows["name"].fillna("")), "name: " + rows["name"].fillna("")
    )
    states = load_classes("geodata.clean", "park_status.yaml")
    status = class_words(rows["executed"].str.upper(), states, "status").fillna("unknown")
    identifiers, shared = identify(rows.assign(class_code=code), rows["source_id"], ("class_code", "name"), TEXTS, "p")
    candidates.note("id_duplicate", shared, rows["source_id"].fillna(""))
    candidates.features = rows.assign(
        park_id=identifiers,
        name=readable.mask(harmed),
        class_code=code,
        class_ko=words["ko"],
        class_en=words["en"],
        kind=words["kind"],
        status=status,
    )
    said = "class code: " + code.fillna("none")
    unknown = candidates.features["kind"].isna()
    candidates.drop("code_unknown", unknown, said)
    said = said[~unknown].reset_index(drop=True)
    candidates.drop("not_a_park", candidates.features["kind"] == "other", said)

    parks = candidates.features.sort_values("park_id", ignore_index=True)
    nothing = pd.Series(None, index=parks.index, dtype="str")
    parks["dong_code"] = dong_codes(nothing, parks.geometry.to_numpy(), area)
    parks["area_m2"] = parks.geometry.area
    return candidates.publish(parks[[*COLUMNS, "geometry"]])
