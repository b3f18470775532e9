"""What every published file says about itself."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pandas as pd

from geodata.catalogue import Layer
from geodata.catalogue.model import UNSHADED

_SCENARIOS = {"existing": ("현재", "existing"), "planned": ("계획", "planned")}
DEMO = {"ko": "가상 데이터", "en": "demo data"}


@dataclass(frozen=True)
class ReleaseAbout:
    """Words and marks that all files of one release share.

    ``timestamp`` is ISO 8601 and comes from the newest input vintage, never from a clock: a year, a month, a day or an
    instant. ``unshaded`` is True as long as obstruction by surroundings is not part of the yields, ``demo`` where the
    inputs are invented. ``rights`` and ``lineage`` are told as given.
    """

    title_ko: str
    title_en: str
    crs: str
    timestamp: str
    unshaded: bool
    demo: bool
    rights: str = ""
    lineage: str = ""

    @property
    def instant(self) -> str:
        """`timestamp` as UTC instant with milliseconds, the only form that GeoPackage 1.3 takes.

        Raises
        ------
        ValueError
            If ``timestamp`` is not an ISO 8601 date, month, year or instant.
        """
        text = self.timestamp.strip()
        if not re.match(r"^[0-9]{4}(-[0-9]{2}(-[0-9]{2}([T ].+)?)?)?$", text):
            raise ValueError(
                f"timestamp {self.timestamp!r} is not an ISO 8601 date such as 2026-11-01, 2026-11 or 2026"
            )
        instant = pd.Timestamp(text)
        instant = instant.tz_localize("UTC") if instant.tzinfo is None else instant.tz_convert("UTC")
        return f"{instant:%Y-%m-%dT%H:%M:%S}.{instant.microsecond // 1000:03d}Z"

    def layer_title(self, layer: Layer) -> str:
        """Return the bilingual title of ``layer``, marked where the data are invented."""
        mark = f" ({DEMO['ko']} / {DEMO['en']})" if self.demo else ""
        return f"{layer.ko} / {layer.en}{mark}"

    def layer_text(self, layer: Layer, columns: tuple[str, ...]) -> str:
        """Return the bilingual description of ``layer`` with the marks that its published ``columns`` need."""
        korean, english = [layer.about_ko], [layer.about_en]
        if self.unshaded and any(layer[name].sunlit for name in columns):
            korean.append(f"발전량과 일사량은 {UNSHADED['ko']} 값이다.")
            english.append("Yields and irradiation are unshaded: surroundings do not obstruct the sun yet.")
        if self.demo:
            korean.append(f"{DEMO['ko']}이며 실제가 아니다.")
            english.append("Demo data, not reality.")
        return " ".join([*korean, "/", *english])


def scenario_words(scenario: str) -> tuple[str, str]:
    """Return what a scenario is called in Korean and in English; a plan of another name is called by it."""
    return _SCENARIOS.get(scenario, (scenario, scenario))
