"""Irradiation and AC yield of every roof, hour by hour.

Roofs are taken in chunks of `CHUNK`, each as arrays of daylight hours x roofs; about ten such arrays live at a time,
so memory grows by less than 400 MB however large the town is. All sums run in a fixed order. As long as nothing obstructs the
planes, the physics is computed once per orientation and scaled by each roof's capacity; with factors of its own a roof
gets the whole chain. Capacity only scales the system, so both ways give the same numbers.

Rows on racks shade each other: an orientation of modules also tells which share of them stands behind another row, and its
components are reduced accordingly before anything else. What surrounds the roof comes on top.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import pandas as pd
import scipy.sparse

from geodata.errors import InputError
from twin.solar.irradiance import PlaneComponents, SkyFactors, plane_components, plane_of_array
from twin.solar.kept_yields import BINS_FILE, CHUNK, HOURS_FOLDER, SUMS, SUMS_FILE, KeptYields
from twin.solar.pv import PvSystem
from twin.solar.resource import Resource
from twin.solar.roofs import on_racks, rack_rows
from twin.solar.rows import Rows, row_factors, shade_rows

_SHARED_ORIENTATIONS = 256
"""Up to so many distinct orientations are transposed once for the whole town; beyond, once per chunk."""
_KWP = 1000.0
Plane = Literal["roof", "module"]


class FactorSource(Protocol):
    """Gives the obstruction of some roofs."""

    def __call__(self, roofs: slice, plane: Plane) -> SkyFactors:
        """Return the factors of these rows of the roofs table, on the plane of the roof or of its modules."""
        ...


@dataclass(frozen=True)
class YieldReport:
    """What was computed."""

    roofs: int
    roofs_with_modules: int
    orientations: int
    daylight_hours: int
    capacity_kwp: float
    yield_kwh: float
    chunks: int
    unshaded: bool

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return asdict(self)


def roof_yields(
    roofs: pd.DataFrame,
    resource: Resource,
    out: Path,
    factors: FactorSource | None = None,
    progress: Callable[[int, int], None] | None = None,
    *,
    timezone: str = "Asia/Seoul",
    system: PvSystem | None = None,
    surroundings_known: np.ndarray | None = None,
    rows: Rows | None = None,
    kept: KeptYields | None = None,
) -> YieldReport:
    """Compute all roofs and write the results into the folder ``out``.

    Parameters
    ----------
    roofs : table of roof planes as `twin.solar.roofs.roof_planes` gives it, sorted by ``roof_id``; without
        ``behind_row_share`` no row shades another
    resource : typical year at the site
    out : folder, made if it is not there; receives

        * ``roofs.parquet``: ``roof_id``, ``irradiation_kwh_m2``, ``poa_kwh_m2``, ``capacity_kwp``,
          ``specific_yield_kwh_kwp`` (missing without modules), ``yield_kwh``, ``yield_01_kwh`` to ``yield_12_kwh``;
          with ``factors`` also ``sky_view`` and ``shading_loss_pct`` (what surroundings take of ``poa_kwh_m2``)
        * ``hourly_by_dong.parquet``: ``interval_middle`` (local time) and the AC energy of each dong [kWh], 8,760 rows
        * ``profile_by_building.parquet``: ``building_id``, ``month``, ``kw_00`` to ``kw_23``: mean AC power of the
          month's days in each local hour [kW]
        * ``hours/*.npy``: AC power of each roof in each daylight hour [W], float32; see `read_hours`
    factors : obstruction of roofs; None for free planes
    progress : called with roofs done and roofs in all
    timezone : in which months and hours of the day are told
    surroundings_known : with ``factors``, for which roofs they are known; the others are computed as free planes and
        have no ``sky_view`` and no ``shading_loss_pct``
    rows : of modules on racks; those of ``roofs.yaml`` if None
    kept : yields of the last time, for roofs that nothing has changed for; ``factors`` are then of the other roofs alone,
        in their order. Results are the same without, bit for bit

    Raises
    ------
    InputError
        If roofs are not sorted by ``roof_id`` or have no dong.
    """
    _check(roofs)
    system = PvSystem.from_parameters() if system is None else system
    (out / HOURS_FOLDER).mkdir(parents=True, exist_ok=True)
    clock = _Clock.of(resource, timezone)
    count = len(roofs)
    again = np.arange(count) if kept is None else np.flatnonzero(kept.rows < 0)
    computed = roofs if kept is None else roofs.iloc[again]
    engine = _Engine(computed, resource, system, factors, rack_rows() if rows is None else rows)
    capacity_w = roofs["capacity_kwp"].to_numpy(dtype=np.float64) * _KWP
    dong_codes, dong = np.unique(roofs["dong_code"].to_numpy(dtype=object), return_inverse=True)
    sums = np.full((len(SUMS), count), np.nan) if kept is None else kept.sums()
    bins = np.empty((count, 12 * 24)) if kept is None else kept.bins()
    hourly = np.zeros((len(clock.lit), len(dong_codes)))
    starts = range(0, count, CHUNK)
    for number, start in enumerate(starts):
        some = slice(start, min(start + CHUNK, count))
        hours = np.empty((some.stop - start, len(clock.lit)), dtype=np.float32)
        if kept is not None:
            kept.fill(hours, some)
        first, last = np.searchsorted(again, [start, some.stop]).tolist()
        if first < last:
            mine = again[first:last]
            done = engine.chunk(slice(first, last))
            for row, name in enumerate(SUMS):
                if getattr(done, name) is not None:
                    sums[row, mine] = getattr(done, name)
            power = done.power * (capacity_w[mine] / _KWP)
            bins[mine] = (clock.by_month_and_hour @ power).T
            hours[mine - start] = power.T
        # a dong's hours are sums of the hours as they are stored, so that a roof that is taken from there counts the same
        for code in np.unique(dong[some]):
            hourly[:, code] += hours[dong[some] == code].sum(axis=0, dtype=np.float64)
        np.save(out / HOURS_FOLDER / f"{number:05d}.npy", hours)
        if progress is not None:
            progress(some.stop, count)
    np.save(out / HOURS_FOLDER / SUMS_FILE, sums)
    np.save(out / HOURS_FOLDER / BINS_FILE, bins)
    everywhere = np.ones(count, dtype=bool)
    known = everywhere if surroundings_known is None else np.asarray(surroundings_known, dtype=bool)
    _write_roofs(out, roofs, dict(zip(SUMS, sums, strict=True)), bins, known if factors is not None else None)
    _write_dongs(out, resource, timezone, hourly, dong_codes)
    _write_profiles(out, roofs, clock, bins)
    pd.DataFrame({"roof_id": roofs["roof_id"].to_numpy()}).to_parquet(out / HOURS_FOLDER / "roofs.parquet", index=False)
    pd.DataFrame({"interval_middle": clock.lit}).to_parquet(out / HOURS_FOLDER / "times.parquet", index=False)
    return YieldReport(
        roofs=count,
        roofs_with_modules=int((capacity_w > 0).sum()),
        orientations=_orientations(roofs),
        daylight_hours=len(clock.lit),
        capacity_kwp=float(capacity_w.sum()) / _KWP,
        yield_kwh=float(bins.sum()) / 1000.0,
        chunks=len(starts),
        unshaded=factors is None,
    )


def read_hours(out: Path, roof_ids: Sequence[str] | None = None) -> pd.DataFrame:
    """Return AC power [W] of some or all roofs, one column per ``roof_id``, indexed by daylight interval middles (UTC).

    Raises
    ------
    InputError
        If a roof is not among those computed.
    """
    folder = out / HOURS_FOLDER
    known = pd.Index(pd.read_parquet(folder / "roofs.parquet")["roof_id"])
    times = pd.DatetimeIndex(pd.read_parquet(folder / "times.parquet")["interval_middle"])
    wanted = known if roof_ids is None else pd.Index(roof_ids)
    rows = known.get_indexer(wanted)
    if (rows < 0).any():
        raise InputError(f"no hourly yield of roof {wanted[rows < 0][0]!r}; see roof_id in the layer roofs")
    power = np.empty((len(times), len(wanted)), dtype=np.float32)
    for number in np.unique(rows // CHUNK):
        chosen = np.flatnonzero(rows // CHUNK == number)
        block = np.load(folder / f"{number:05d}.npy", mmap_mode="r")
        power[:, chosen] = block[rows[chosen] % CHUNK].T
    return pd.DataFrame(power, index=times, columns=wanted)


def _check(roofs: pd.DataFrame) -> None:
    if not roofs["roof_id"].is_monotonic_increasing or not roofs["roof_id"].is_unique:
        raise InputError("roofs must be sorted by a unique roof_id, as twin.solar.roofs.roof_planes returns them")
    if roofs["dong_code"].isna().any():
        first = roofs.loc[roofs["dong_code"].isna(), "roof_id"].iloc[0]
        raise InputError(f"roof {first} lies in no legal dong; give its building a dong_code")


@dataclass(frozen=True)
class _Clock:
    """Local time of the intervals."""

    lit: pd.DatetimeIndex
    days: np.ndarray
    """Days of each month, and so the intervals behind each mean of the profile."""
    by_month_and_hour: scipy.sparse.csr_matrix
    """288 x daylight hours; a product with it sums up each month's local hours in time order."""

    @classmethod
    def of(cls, resource: Resource, timezone: str) -> _Clock:
        lit = pd.DatetimeIndex(resource.lit.index)
        # an interval centred on the full hour belongs to the hour that begins there
        local = lit.tz_convert(timezone)
        group = (local.month.to_numpy() - 1) * 24 + local.hour.to_numpy()
        ones, columns = np.ones(len(lit)), np.arange(len(lit))
        sums = scipy.sparse.csr_matrix((ones, (group, columns)), shape=(12 * 24, len(lit)))
        year = int(np.median(local.year))
        days = pd.date_range(f"{year}-01-01", periods=12, freq="MS").days_in_month.to_numpy()
        return cls(lit=lit, days=days, by_month_and_hour=sums)


@dataclass(frozen=True)
class _Chunk:
    """Results of some roofs: yearly sums [kWh/m2] and power in every daylight hour."""

    irradiation: np.ndarray
    poa: np.ndarray
    poa_free: np.ndarray
    """What the modules would receive if nothing stood around the roof."""
    sky_view: np.ndarray | None
    """Share of the free roof plane's sky irradiance that is left; None where surroundings are not computed."""
    power: np.ndarray
    """AC power [W per kWp], daylight hours x roofs."""


def _over_hours(values: np.ndarray) -> np.ndarray:
    """Return the sum of each column, in an order that does not depend on how many columns there are."""
    total: np.ndarray = np.ascontiguousarray(values.T).sum(axis=1)
    return total


def _roof_keys(roofs: pd.DataFrame) -> np.ndarray:
    """Return tilt and azimuth of roof planes [deg], to a tenth: planes that are alike are computed once."""
    nothing = np.zeros(len(roofs))
    return np.column_stack([roofs["tilt_deg"].round(1), roofs["azimuth_deg"].fillna(180.0).round(1), nothing, nothing])


def _module_keys(roofs: pd.DataFrame) -> np.ndarray:
    """Return the same of modules, whether they stand on racks, and their share behind another row, to a hundredth."""
    behind = np.zeros(len(roofs))
    if "behind_row_share" in roofs.columns:
        behind = roofs["behind_row_share"].to_numpy(dtype=np.float64)
    return np.column_stack(
        [roofs["module_tilt_deg"].round(1), roofs["module_azimuth_deg"].round(1), on_racks(roofs), behind.round(2)]
    )


def _orientations(roofs: pd.DataFrame) -> int:
    return len(np.unique(_module_keys(roofs)[:, :3], axis=0))


class _Engine:
    """Irradiation, irradiance on modules and AC power per kWp of any rows of the roofs table."""

    def __init__(
        self, roofs: pd.DataFrame, resource: Resource, system: PvSystem, factors: FactorSource | None, rows: Rows
    ) -> None:
        self._resource, self._system, self._factors, self._rows = resource, system, factors, rows
        lit = resource.lit
        self._temp_air = lit["temp_air"].to_numpy()[:, None]
        self._wind_speed = lit["wind_speed"].to_numpy()[:, None]
        self._keys: dict[Plane, np.ndarray] = {"roof": _roof_keys(roofs), "module": _module_keys(roofs)}
        self._town: dict[Plane, tuple[np.ndarray, np.ndarray, PlaneComponents]] = {}
        for plane, keys in self._keys.items():
            distinct, index = np.unique(keys, axis=0, return_inverse=True)
            if len(distinct) <= _SHARED_ORIENTATIONS:
                self._town[plane] = (distinct, index.reshape(-1), self._transpose(distinct))
        self._shared_power: np.ndarray | None = None

    def chunk(self, rows: slice) -> _Chunk:
        """Return the results of some roofs."""
        _, index, components = self._of("roof", rows)
        sky_view = None
        if self._factors is None:
            irradiation = _over_hours(plane_of_array(components)[:, index])
        else:
            on_roof = self._factors(rows, "roof")
            irradiation = _over_hours(plane_of_array(components, index, on_roof))
            # crowns change through the year: the mean over daylight hours is told
            sky = np.atleast_2d(on_roof.isotropic)
            # taken from the first, so that a roof without trees is told the same beside one with some
            sky_view = np.broadcast_to(sky[0] + _over_hours(sky - sky[0]) / len(sky), irradiation.shape)
        distinct, index, components = self._of("module", rows)
        racks = distinct[:, 2] > 0
        if self._factors is None:
            poa, power = self._free_power(components, racks)
            poa_sum, power = _over_hours(poa)[index], power[:, index]
        else:
            factors = self._factors(rows, "module")
            modifier = self._system.beam_modifier(components.aoi)
            poa = plane_of_array(components, index, factors)
            effective = plane_of_array(components, index, factors, beam_modifier=modifier)
            poa_sum, power = _over_hours(poa), self._power(poa, effective, racks[index])
        free = _over_hours(plane_of_array(components))[index]
        return _Chunk(irradiation / 1000.0, poa_sum / 1000.0, free / 1000.0, sky_view, power)

    def _of(self, plane: Plane, rows: slice) -> tuple[np.ndarray, np.ndarray, PlaneComponents]:
        if plane in self._town:
            distinct, index, components = self._town[plane]
            return distinct, index[rows], components
        distinct, index = np.unique(self._keys[plane][rows], axis=0, return_inverse=True)
        return distinct, index.reshape(-1), self._transpose(distinct)

    def _transpose(self, distinct: np.ndarray) -> PlaneComponents:
        components = plane_components(self._resource, distinct[:, 0], distinct[:, 1])
        if not distinct[:, 3].any():
            return components
        return shade_rows(components, row_factors(self._rows, self._resource, distinct[:, 1], distinct[:, 3]))

    def _free_power(self, components: PlaneComponents, racks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        poa = plane_of_array(components)
        effective = plane_of_array(components, beam_modifier=self._system.beam_modifier(components.aoi))
        return poa, self._power(poa, effective, racks)

    def _power(self, poa: np.ndarray, effective: np.ndarray, racks: np.ndarray) -> np.ndarray:
        cell = self._system.cell_temperature(poa, self._temp_air, self._wind_speed, racks)
        return self._system.ac_power(self._system.dc_power(effective, cell, _KWP), _KWP)


def _write_roofs(
    out: Path, roofs: pd.DataFrame, sums: dict[str, np.ndarray], bins: np.ndarray, known: np.ndarray | None
) -> None:
    monthly = bins.reshape(len(roofs), 12, 24).sum(axis=2) / 1000.0
    yearly = monthly.sum(axis=1)
    capacity = roofs["capacity_kwp"].to_numpy(dtype=np.float64)
    table = pd.DataFrame(
        {
            "roof_id": roofs["roof_id"].to_numpy(),
            "irradiation_kwh_m2": sums["irradiation"],
            "poa_kwh_m2": sums["poa"],
            "capacity_kwp": capacity,
            "specific_yield_kwh_kwp": np.divide(yearly, capacity, out=np.full(len(roofs), np.nan), where=capacity > 0),
            "yield_kwh": yearly,
            **{f"yield_{month + 1:02d}_kwh": monthly[:, month] for month in range(12)},
        }
    )
    if known is not None:
        loss = 100.0 * (1.0 - np.divide(sums["poa"], sums["poa_free"]))
        # a roof that nothing hides differs from the free one by rounding only
        table["sky_view"] = np.where(known, sums["sky_view"], np.nan)
        table["shading_loss_pct"] = np.where(known, np.where(np.abs(loss) < 1e-9, 0.0, loss), np.nan)
    table.to_parquet(out / "roofs.parquet", index=False)


def _write_dongs(out: Path, resource: Resource, timezone: str, hourly: np.ndarray, dong_codes: np.ndarray) -> None:
    """All hours of the year, night included [kWh]."""
    every = np.zeros((len(resource.hourly), hourly.shape[1]))
    every[resource.daylight] = hourly / 1000.0
    table = pd.DataFrame(every, columns=[str(code) for code in dong_codes])
    table.insert(0, "interval_middle", pd.DatetimeIndex(resource.hourly.index).tz_convert(timezone))
    table.to_parquet(out / "hourly_by_dong.parquet", index=False)


def _write_profiles(out: Path, roofs: pd.DataFrame, clock: _Clock, bins: np.ndarray) -> None:
    """Mean power of each building [kW]: twelve rows of 24 local hours."""
    ids, first = np.unique(roofs["building_id"].to_numpy(dtype=object), return_inverse=True)
    owner = scipy.sparse.csr_matrix((np.ones(len(first)), (first, np.arange(len(first)))), shape=(len(ids), len(first)))
    mean = (owner @ bins).reshape(len(ids), 12, 24) / clock.days[None, :, None] / 1000.0
    table = pd.DataFrame(mean.reshape(-1, 24).astype(np.float32), columns=[f"kw_{hour:02d}" for hour in range(24)])
    table.insert(0, "month", np.tile(np.arange(1, 13, dtype=np.int8), len(ids)))
    table.insert(0, "building_id", np.repeat(ids, 12))
    table.to_parquet(out / "profile_by_building.parquet", index=False)
