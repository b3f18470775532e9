"""Hourly weather files."""

from __future__ import annotations

from geodata.products.model import Product

EPW = Product(
    key="EPW",
    role="weather",
    ko="표준기상연도 (EPW)",
    en="typical weather year (EPW)",
    agency="climate.onebuilding.org",
    download="climate.onebuilding.org, Region 2 Asia / South Korea: TMYx of the nearest station (.epw)",
    licence="",
    attribution="climate.onebuilding.org TMYx",
    kind="weather",
)
