"""A year of sky made in steps of five minutes, and the files that measure or model it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pvlib
import pytest

SEOUL = (37.5714, 126.9658, 86.0)
"""Station 108: latitude, longitude, elevation."""


@dataclass(frozen=True)
class Sky:
    """Irradiance at any moment of the years 2022 to 2024 at Seoul: the Ineichen clear sky, dimmed day by day."""

    def at(self, moments: pd.DatetimeIndex) -> pd.DataFrame:
        sun = pvlib.solarposition.get_solarposition(moments, SEOUL[0], SEOUL[1], altitude=SEOUL[2])
        clear = pvlib.clearsky.ineichen(
            sun["apparent_zenith"],
            pvlib.atmosphere.get_relative_airmass(sun["apparent_zenith"]),
            3.0,
            altitude=SEOUL[2],
            dni_extra=pvlib.irradiance.get_extra_radiation(moments),
        ).fillna(0.0)
        dim = 0.6 + 0.4 * np.cos(moments.tz_convert("Asia/Seoul").day_of_year.to_numpy())
        direct = clear["dni"].to_numpy() * np.maximum(dim, 0.0)
        cosine = np.cos(np.radians(sun["apparent_zenith"].to_numpy())).clip(0)
        return pd.DataFrame(
            {"ghi": direct * cosine + clear["dhi"].to_numpy(), "dni": direct, "dhi": clear["dhi"].to_numpy()},
            index=moments,
        )


@pytest.fixture(scope="session")
def sky() -> Sky:
    return Sky()


@pytest.fixture(scope="session")
def hour_means() -> pd.Series:
    """Mean global irradiance of every hour of 2023 [W/m2] by the start of the hour in KST, from five-minute steps."""
    steps = pd.date_range("2023-01-01 00:02:30", periods=365 * 288, freq="5min", tz="Asia/Seoul")
    values = Sky().at(steps.tz_convert("UTC"))["ghi"].to_numpy().reshape(-1, 12).mean(axis=1)
    return pd.Series(values, index=pd.date_range("2023-01-01", periods=8760, freq="h"))


def asos_rows(means: pd.Series, year: int = 2023, factor: float = 1.0) -> pd.DataFrame:
    """Lines of the portal for one calendar year: the sum of an hour stands at its end, blank at night."""
    ends = pd.date_range(f"{year}-01-01", f"{year}-12-31 23:00", freq="h")
    source = (ends - pd.Timedelta(hours=1)).map(
        lambda t: t.replace(year=2023, day=min(t.day, 28 if t.month == 2 else t.day))
    )
    sums = means.reindex(source).to_numpy() * factor * 3600.0 / 1e6
    table = pd.DataFrame({"지점": 108, "지점명": "서울", "일시": ends.strftime("%Y-%m-%d %H:%M")})
    # a straight line between full hours: the middle of an hour is exactly between its ends
    table["기온(°C)"] = np.round(np.arange(len(ends)) * 0.001, 4)
    table["기온 QC플래그"] = ""
    table["풍속(m/s)"] = 2.0
    table["현지기압(hPa)"] = 1005.5
    table["일조(hr)"] = ""
    table["일사(MJ/m2)"] = [f"{value:.4f}" if value > 0 else "" for value in sums]
    table["일사 QC플래그"] = ""
    return table


@pytest.fixture
def write_asos(tmp_path: Path, hour_means: pd.Series) -> Callable[..., Path]:
    def write(
        name: str = "asos.csv",
        *,
        year: int = 2023,
        factor: float = 1.0,
        change: Callable[[pd.DataFrame], pd.DataFrame] = lambda table: table,
        encoding: str = "cp949",
    ) -> Path:
        path = tmp_path / name
        change(asos_rows(hour_means, year, factor)).to_csv(path, index=False, encoding=encoding)
        return path

    return write


@pytest.fixture
def pvgis_rows(sky: Sky) -> Callable[[float], pd.DataFrame]:
    """Rows of PVGIS: labels at the full hour UTC, irradiance ``offset`` hours later; each month from another year."""

    def rows(offset: float = 0.5) -> pd.DataFrame:
        labels = pd.date_range("2023-01-01", periods=8760, freq="h", tz="UTC")
        values = sky.at(labels + pd.Timedelta(hours=offset)).round(2)
        years = 2004 + labels.month
        return pd.DataFrame(
            {
                "time(UTC)": [f"{y}{t:%m%d:%H%M}" for y, t in zip(years, labels, strict=True)],
                "T2m": np.round(10 + 0.001 * np.arange(8760), 3),
                "RH": 60.0,
                "G(h)": values["ghi"].to_numpy(),
                "Gb(n)": values["dni"].to_numpy(),
                "Gd(h)": values["dhi"].to_numpy(),
                "IR(h)": 300.0,
                "WS10m": 1.5,
                "WD10m": 180.0,
                "SP": 100500.0,
            }
        )

    return rows


def pvgis_csv(rows: pd.DataFrame, stated: float | None = None) -> str:
    """The CSV of PVGIS 5.2, or with a stated offset that of 5.3."""
    head = [f"Latitude (decimal degrees): {SEOUL[0]:.3f}", f"Longitude (decimal degrees): {SEOUL[1]:.3f}"]
    head.append(f"Elevation (m): {SEOUL[2]:.1f}")
    if stated is not None:
        head.append(f"Irradiance Time Offset (h): {stated}")
    head += ["month,year", *[f"{month},{2004 + month}" for month in range(1, 13)]]
    body = rows.to_csv(index=False, lineterminator="\r\n")
    tail = [
        "",
        "T2m: 2-m air temperature (degree Celsius)",
        "SP: Surface (air) pressure (Pa)",
        "PVGIS (c) European Union",
    ]
    return "\r\n".join(head) + "\r\n" + body + "\r\n".join(tail) + "\r\n"


def pvgis_json(rows: pd.DataFrame) -> str:
    """The JSON of PVGIS 5.3."""
    return json.dumps(
        {
            "inputs": {
                "location": {"latitude": SEOUL[0], "longitude": SEOUL[1], "elevation": SEOUL[2]},
                "meteo_data": {"radiation_db": "PVGIS-ERA5", "meteo_db": "ERA5", "year_min": 2005, "year_max": 2023,
                               "use_horizon": True, "horizon_db": "DEM-calculated"},
            },
            "outputs": {
                "months_selected": [{"month": month, "year": 2004 + month} for month in range(1, 13)],
                "tmy_hourly": rows.to_dict(orient="records"),
            },
            "meta": {"inputs": {}, "outputs": {}},
        }
    )  # fmt: skip


def pvgis_epw(rows: pd.DataFrame, zone: int = 8) -> str:
    """The EPW of PVGIS: the same rows, hour h labelled h - 1 in UTC, whatever the LOCATION line says."""
    head = [
        f"LOCATION,unknown,-,unknown,ECMWF/ERA,unknown,{SEOUL[0]:.6f},{SEOUL[1]:.6f},{zone},{SEOUL[2]:.0f}",
        "DESIGN CONDITIONS,0", "TYPICAL/EXTREME PERIODS,0", "GROUND TEMPERATURES,0", "HOLIDAYS/DAYLIGHT SAVING,No,0,0,0",
        "COMMENTS 1,Weather Analytics", "COMMENTS 2", "DATA PERIODS,1,1,Data,Thursday, 1/ 1,12/31",
    ]  # fmt: skip
    lines = []
    for stamp, temp, ghi, dni, dhi in zip(
        rows["time(UTC)"], rows["T2m"], rows["G(h)"], rows["Gb(n)"], rows["Gd(h)"], strict=True
    ):
        year, month, day, hour = int(stamp[:4]), int(stamp[4:6]), int(stamp[6:8]), int(stamp[9:11]) + 1
        before = f"{year},{month},{day},{hour},0,B8,{temp},1.1,91,100500,9999,9999,322"
        lines.append(
            f"{before},{ghi},{dni},{dhi},999999,999999,999999,9999,334,1.5,99,99,9999,99999,9,999999999,999,0.999,999,99,999,999,99"
        )
    return "\n".join([*head, *lines]) + "\n"


def nsrdb_csv(sky: Sky, minute: int = 30, moment: int | None = None, year: int = 2019, zone: int = 9) -> str:
    """A PSM file of one year in standard time; the values are those of ``moment`` minutes after the full hour."""
    labels = pd.date_range(f"{year}-01-01", f"{year}-12-31 23:00", freq="h") + pd.Timedelta(minutes=minute)
    moments = labels + pd.Timedelta(minutes=(minute if moment is None else moment) - minute, hours=-zone)
    values = sky.at(moments.tz_localize("UTC")).round(2)
    names = ["Source", "Location ID", "City", "State", "Country", "Latitude", "Longitude", "Time Zone", "Elevation",
             "Local Time Zone", "DHI Units", "DNI Units", "GHI Units", "Temperature Units", "Pressure Units",
             "Wind Speed Units", "Version"]  # fmt: skip
    told = ["NSRDB", "1234567", "-", "-", "-", SEOUL[0], SEOUL[1], zone, int(SEOUL[2]), 9, "w/m2", "w/m2", "w/m2", "c",
            "mbar", "m/s", "v4.0.0"]  # fmt: skip
    table = pd.DataFrame(
        {"Year": labels.year, "Month": labels.month, "Day": labels.day, "Hour": labels.hour, "Minute": labels.minute}
    )
    table["Temperature"] = 12.5
    table["DHI"], table["DNI"], table["GHI"] = (values[name].to_numpy() for name in ("dhi", "dni", "ghi"))
    table["Pressure"], table["Wind Speed"] = 1004, 2.5
    return f"{','.join(names)}\n{','.join(str(v) for v in told)}\n{table.to_csv(index=False)}"


@pytest.fixture
def made() -> SimpleNamespace:
    """Writers of the formats, as text."""
    return SimpleNamespace(pvgis_csv=pvgis_csv, pvgis_json=pvgis_json, pvgis_epw=pvgis_epw, nsrdb_csv=nsrdb_csv)
