"""`changes.html`: what changed since the release before, on one page that opens without any network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from geodata.catalogue import LAYERS
from twin.publish.about import DEMO, ReleaseAbout, scenario_words
from twin.publish.changes.history import INDICATORS, district_label
from twin.publish.html_template import html_template

MOST_LINES = 40
"""How many lines a table of the page shows; the page says how many there are."""
FOLLOWED = ("yield_kwh", "green_cover_pct", "green_area_m2", "capacity_kwp")


def changes_page(
    tables: Mapping[str, pd.DataFrame],
    before: pd.DataFrame,
    after: pd.DataFrame,
    about: ReleaseAbout,
    names: tuple[str, str],
) -> str:
    """Return the page as HTML text.

    Parameters
    ----------
    tables
        Layers of `changes.gpkg`.
    before, after
        Indicators of the two releases, as `twin.publish.changes.history.indicator_rows` returns them.
    names
        Ids of the release before and of this one.
    """
    dongs = indicator_changes(before, after)
    fields = tables["changed_fields"].sort_values("altered", ascending=False, kind="stable")
    page: dict[str, Any] = {
        "title_ko": about.title_ko,
        "title_en": about.title_en,
        "demo": f"{DEMO['ko']} · {DEMO['en']}" if about.demo else "",
        "names": names,
        "lines": summary_lines(tables, names[0]),
        "layers": in_order(tables["changed_layers"]).to_dict("records"),
        "dongs": dongs.head(MOST_LINES).to_dict("records"),
        "dong_count": len(dongs),
        "fields": fields.head(MOST_LINES).to_dict("records"),
        "field_count": len(fields),
        "features": _examples(tables["changed_values"]).to_dict("records"),
        "value_count": int(fields["altered"].sum()),
        "listed_count": len(tables["changed_values"]),
    }
    return html_template(
        "twin.publish.changes", "changes.html", {"whole": _whole, "signed": _signed, "scenario": _scenario}
    ).render(page)


def summary_lines(tables: Mapping[str, pd.DataFrame], before: str) -> list[str]:
    """Return what changed in one line for each scenario; a scenario in which nothing did says so."""
    lines = []
    for scenario, rows in in_order(tables["changed_layers"]).groupby("scenario", sort=True):
        told = []
        for row in rows.to_dict("records"):
            if pd.isna(row["added"]):
                told.append(f"{row['layer_ko']}: {row['note']}")
            elif row["added"] + row["removed"] + row["altered"]:
                told.append(f"{row['layer_ko']} +{row['added']:,} −{row['removed']:,} ~{row['altered']:,}")
        lines.append(
            f"{before}와 비교 · against {before}: {scenario}: " + (", ".join(told) or "바뀐 것 없음 · no change")
        )
    return lines


def in_order(layers: pd.DataFrame) -> pd.DataFrame:
    """Return ``changed_layers`` by scenario and in the order of the catalogue."""
    order = layers["layer"].map({name: position for position, name in enumerate(LAYERS)})
    return layers.assign(_order=order).sort_values(["scenario", "_order"], ignore_index=True).drop(columns="_order")


def indicator_changes(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return which indicators of which dong changed, those of `FOLLOWED` first, each the largest change first."""
    keys = ["scenario", "dong_code", "indicator"]
    long = [
        frame.melt(["scenario", "dong_code", "name_ko"], list(INDICATORS), "indicator", "value").dropna(
            subset=["value"]
        )
        for frame in (before, after)
    ]
    both = long[0].drop(columns="name_ko").merge(long[1], on=keys, suffixes=("_old", "_new"))
    both["difference"] = both["value_new"].astype("float64") - both["value_old"].astype("float64")
    both["size"] = both["difference"].abs()
    both = both[both["size"] > 0]
    both["label"] = both["indicator"].map({name: district_label(name) for name in INDICATORS})
    order = [*FOLLOWED, *(name for name in INDICATORS if name not in FOLLOWED)]
    both["order"] = both["indicator"].map({name: position for position, name in enumerate(order)})
    both["decimals"] = both["indicator"].map({name: LAYERS["districts"][name].decimals or 0 for name in INDICATORS})
    return both.sort_values(["scenario", "order", "size", "dong_code"], ascending=[True, True, False, True])


def _examples(values: pd.DataFrame) -> pd.DataFrame:
    """Return the altered values to show: what a register says before what was computed from it, few of each field."""
    if values.empty:
        return values
    counts = values.groupby(["scenario", "layer", "field"])["field"].transform("size")
    few = values.assign(_count=counts, _size=values["difference"].abs())
    few = few.sort_values(["_count", "_size"], ascending=[True, False], kind="stable", na_position="last")
    few = few.groupby(["scenario", "layer", "field"], sort=False).head(5)
    return few.drop(columns=["_count", "_size"]).head(MOST_LINES)


def _scenario(name: str) -> str:
    return scenario_words(name)[0]


def _whole(value: Any) -> str:
    return "–" if pd.isna(value) else f"{int(value):,}"


def _signed(value: Any, decimals: int = 3) -> str:
    return "" if pd.isna(value) else f"{float(value):+,.{decimals}f}".replace("-", "−")
