"""What a layer looks like: classes, colours and labels, read from ``styles.yaml``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, model_validator

from geodata.catalogue import GEOPACKAGES, Choice, Layer
from geodata.shipped_yaml import shipped_yaml

_STRICT = ConfigDict(frozen=True, extra="forbid")
MISSING_COLOUR = "#bcbcbc"
OTHER_COLOUR = "#f2f0ea"
CATEGORY_COLOURS = ("#0072b2", "#d55e00", "#f0e442", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#222222")
"""M. Okabe and K. Ito, Color Universal Design (2008): eight colours that colour-blind people tell apart."""
SHARE_COLOURS = ("#f7f4fb", "#d4c9e6", "#ab97cf", "#7d5fb0", "#4b2a86")
MISSING = Choice(ko="자료 없음", en="no data")
OTHER = Choice(ko="기타", en="other")


class Label(BaseModel):
    """Text beside a feature, shown from 1:``largest_scale`` inwards; ``whole`` drops decimals and groups thousands."""

    model_config = _STRICT
    column: str
    size_pt: float
    colour: str
    largest_scale: int
    bold: bool = False
    whole: bool = False


class Keyword(BaseModel):
    """A class that a free text belongs to when it contains one of ``words``."""

    model_config = _STRICT
    ko: str
    en: str
    words: tuple[str, ...]
    colour: str


class Whole(BaseModel):
    """Rows that tell of the whole and lie over the rows of its parts: those whose ``column`` has ``value``."""

    model_config = _STRICT
    column: str
    value: str


class Style(BaseModel):
    """One look of one layer; see ``styles.yaml`` for the units.

    Rows of ``whole`` are drawn above the others, as an outline of ``whole_outline_mm`` without fill and label.
    """

    model_config = _STRICT
    name: str
    ko: str
    en: str
    kind: Literal["single", "graduated", "categorised", "keyword", "table"]
    column: str | None = None
    fill: str | None = None
    outline: str | None = None
    outline_mm: float = 0.1
    dashed: bool = False
    marker_mm: float = 2.0
    breaks: tuple[float, ...] = ()
    colours: tuple[str, ...] | dict[str, str] = ()
    hatched: tuple[str, ...] = ()
    labels: dict[str, Choice] = {}
    classes: tuple[Keyword, ...] = ()
    label: Label | None = None
    whole: Whole | None = None
    whole_outline_mm: float = 1.0

    @model_validator(mode="after")
    def _complete(self) -> Style:
        if self.kind == "graduated" and not (
            len(self.breaks) == len(self.colours) + 1 and sorted(self.breaks) == list(self.breaks)
        ):
            raise ValueError("a graduated style has one colour for each interval of rising breaks")
        if self.kind in ("graduated", "categorised", "keyword") and self.column is None:
            raise ValueError(f"a {self.kind} style needs its column")
        return self


@dataclass(frozen=True)
class LegendClass:
    """One entry of a legend. ``value`` is a category, ``low`` and ``high`` an interval, closed above.

    The class of missing values has neither; `hatched` classes are drawn as stripes.
    """

    ko: str
    en: str
    colour: str
    value: str | None = None
    low: float | None = None
    high: float | None = None
    words: tuple[str, ...] = ()
    hatched: bool = False


STYLE_FILES = {"twin.gpkg": "styles.yaml", "comparison.gpkg": "comparison.yaml", "changes.gpkg": "changes.yaml"}
"""Each GeoPackage of a release and the file that tells how its layers look."""


@cache
def load_styles() -> dict[str, tuple[Style, ...]]:
    """Return the styles of every published layer, the default first.

    Raises
    ------
    ValueError
        If a layer has no style, or a style names a layer or a column that the catalogue does not declare.
    """
    found: dict[str, tuple[Style, ...]] = {}
    for geopackage, layers in GEOPACKAGES.items():
        found |= _load(STYLE_FILES[geopackage], layers)
    return found


def _load(file: str, layers: Mapping[str, Layer]) -> dict[str, tuple[Style, ...]]:
    raw = shipped_yaml(files(__package__).joinpath(file).read_text(encoding="utf-8"))
    styles = {name: tuple(Style.model_validate(entry) for entry in entries) for name, entries in raw.items()}
    if set(styles) != set(layers):
        raise ValueError(f"{file} and the catalogue differ in layers: {sorted(set(styles) ^ set(layers))}")
    for name, entries in styles.items():
        named = {s.column for s in entries if s.column} | {s.label.column for s in entries if s.label}
        named |= {s.whole.column for s in entries if s.whole}
        unknown = sorted(named - set(layers[name].names))
        if unknown:
            raise ValueError(f"{file}, {name}: columns that the catalogue does not declare: {unknown}")
    return styles


def styles_for(layer: Layer, columns: tuple[str, ...]) -> list[Style]:
    """Return the styles of ``layer`` that its published ``columns`` allow; the first is the default, one is always there."""
    usable = [s for s in load_styles().get(layer.name, ()) if s.column is None or s.column in columns]
    if not usable:
        usable = [sensible_style(layer, columns)]
    return [s.model_copy(update={"label": None}) if s.label and s.label.column not in columns else s for s in usable]


def sensible_style(layer: Layer, columns: tuple[str, ...]) -> Style:
    """Return a look for a layer without one of its own, read off its declaration.

    By the first coded column with few choices, else by the first share in percent, else all features alike.
    """
    if layer.geometry is None:
        return Style(name="table", ko="표", en="Table", kind="table")
    published = [field for field in layer.fields if field.name in columns]
    naming = next((f.name for f in published if f.name in ("name_ko", "name", "jibun", layer.key)), None)
    label = Label(column=naming, size_pt=7, colour="#333333", largest_scale=4000) if naming else None
    outline: dict[str, Any] = {"outline": "#5c5c5c", "outline_mm": 0.12, "label": label}
    for field in published:
        if 2 <= len(field.choices) <= len(CATEGORY_COLOURS):
            colours = dict(zip(field.choices, CATEGORY_COLOURS, strict=False))
            return Style(
                name=field.name, ko=field.ko, en=field.en, kind="categorised", column=field.name, colours=colours, **outline
            )  # fmt: skip
    for field in published:
        if field.kind == "real" and field.unit == "%" and field.minimum == 0 and field.maximum == 100:
            return Style(
                name=field.name, ko=field.ko, en=field.en, kind="graduated", column=field.name,
                breaks=(0, 20, 40, 60, 80, 100), colours=SHARE_COLOURS, **outline,
            )  # fmt: skip
    return Style(name="plain", ko="기본", en="Plain", kind="single", fill="#d9d4c7", **outline)


def legend(layer: Layer, style: Style) -> list[LegendClass]:
    """Return the classes of ``style`` from low to high, or in the order of the catalogue's choices."""
    if style.kind == "graduated" and style.column is not None:
        field = layer[style.column]
        found = []
        for position, colour in enumerate(style.colours):
            low, high = style.breaks[position], style.breaks[position + 1]
            words = _interval(low, high, style.breaks, field.unit)
            if field.kind == "integer" and high - low <= 1:  # one whole number
                words = (f"{high:g}", f"{high:g}")
            found.append(LegendClass(*words, colour=str(colour), low=low, high=high))
        if field.nullable:
            found.append(LegendClass(MISSING.ko, MISSING.en, MISSING_COLOUR))
        return found
    if style.kind == "categorised" and style.column is not None and isinstance(style.colours, dict):
        names = {**layer[style.column].choices, **style.labels}
        return [
            LegendClass(names[value].ko, names[value].en, colour, value=value, hatched=value in style.hatched)
            for value, colour in style.colours.items()
        ]
    if style.kind == "keyword":
        named = [LegendClass(c.ko, c.en, c.colour, value=c.ko, words=c.words) for c in style.classes]
        return [*named, LegendClass(OTHER.ko, OTHER.en, OTHER_COLOUR, value=OTHER.ko)]
    return []


def _interval(low: float, high: float, breaks: tuple[float, ...], unit: str) -> tuple[str, str]:
    if unit == "kWh" and any(abs(inner) >= 1e6 for inner in breaks[1:-1]):
        # a change of a dong has nine digits
        low, high, breaks, unit = low / 1e3, high / 1e3, tuple(value / 1e3 for value in breaks), "MWh"
    unit = f" {unit}" if unit else ""
    least, most = (f"{value:,.12g}".replace("-", "−") for value in (low, high))
    if low == breaks[0]:
        return f"{most}{unit} 이하", f"≤ {most}{unit}"
    if high == breaks[-1] and unit != " %":
        return f"{least}{unit} 초과", f"> {least}{unit}"
    dash = "~" if low < 0 else "–"
    return f"{least} {dash} {most}{unit}", f"{least} {dash} {most}{unit}"


def classify(values: pd.Series, style: Style, classes: list[LegendClass]) -> np.ndarray:
    """Return for each value the position of its class in ``classes``, -1 where it has none; shape (rows,).

    The same rule as QGIS: a value on a break belongs to the lower class, one beyond the outer breaks to none.
    """
    if style.kind == "graduated":
        numbers = values.to_numpy("float64", na_value=np.nan)
        found = np.searchsorted(np.array(style.breaks[1:-1]), numbers, side="left")
        outside = ~((numbers >= style.breaks[0]) & (numbers <= style.breaks[-1]))
        missing = len(classes) - 1 if classes[-1].low is None else -1
        return np.where(np.isnan(numbers), missing, np.where(outside, -1, found))
    text = values.astype("str")
    found = np.full(len(values), -1)
    for position, entry in reversed(list(enumerate(classes))):
        if entry.words:
            hit = text.str.contains("|".join(map(re.escape, entry.words)), na=False)
        elif style.kind == "keyword":
            hit = pd.Series(True, index=text.index)
        else:
            hit = text == entry.value
        found[hit.to_numpy("bool", na_value=False)] = position
    return found
