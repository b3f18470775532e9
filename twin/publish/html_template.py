"""Templates of the pages that are published: strict about what is missing, and nothing in the data becomes markup."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import jinja2


def html_template(package: str, name: str, filters: dict[str, Callable[..., Any]] | None = None) -> jinja2.Template:
    """Return the template ``name`` that lies in ``package``, with these filters beside Jinja's own and `printed_unit`.

    In it ``stylesheet(name)`` is the text of a style sheet beside this module: a page must need no other file.
    """
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters |= {"unit": printed_unit} | (filters or {})
    environment.globals["stylesheet"] = _stylesheet
    return environment.from_string(files(package).joinpath(name).read_text(encoding="utf-8"))


def printed_unit(unit: str) -> str:
    """Return a unit as it is printed: the catalogue writes m2 and tCO2, a page m² and tCO₂."""
    powers = re.sub(r"(?<=m)([23])\b", lambda power: {"2": "²", "3": "³"}[power[1]], unit)
    return powers.replace("CO2", "CO₂")


def _stylesheet(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
