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

PVGIS_TMY = Product(
    key="PVGIS_TMY",
    role="weather",
    ko="표준기상연도 (PVGIS TMY)",
    en="typical weather year (PVGIS TMY)",
    agency="European Commission, JRC",
    download="re.jrc.ec.europa.eu/pvg_tools, tab TMY: csv, json or epw",
    licence="free reuse with attribution (European Union, PVGIS)",
    attribution="PVGIS © European Union",
    kind="weather",
)

NSRDB = Product(
    key="NSRDB",
    role="weather",
    ko="기상연도 (NSRDB PSM3·PSM4)",
    en="weather year (NSRDB PSM3, PSM4)",
    agency="NREL / NLR National Solar Radiation Database",
    download="nsrdb.nlr.gov, Himawari, 60 minutes, no leap day (csv)",
    licence="free use with attribution (NSRDB)",
    attribution="National Solar Radiation Database (NSRDB)",
    kind="weather",
)

KMA_ASOS = Product(
    key="KMA_ASOS",
    role="weather",
    ko="종관기상관측 시간자료 (ASOS)",
    en="measured hours of a KMA station (ASOS)",
    agency="기상청 기상자료개방포털",
    download="data.kma.go.kr ‘종관기상관측(ASOS)’ 시간 자료, 지점 하나, 기온·풍속·현지기압·일사 (csv, 여러 해면 여러 파일)",
    licence="KOGL type 1 (공공누리 제1유형)",
    attribution="기상청 종관기상관측(ASOS)",
    kind="weather",
)
