"""Sun against demand, hour by hour: within each building, and within pools of buildings that share their power.

    used(t)   = min(pv(t), demand(t))                                within one building
    export    = sum of pv - used,     import(t) = demand(t) - used(t)
    pooled    = the same with pv and demand of all members added up first

What one building exports in the hour in which its neighbour draws is lost to the first sum and kept by the second, so the pool
never uses less than its members alone. No battery, no losses between neighbours.

Buildings are taken in chunks of `CHUNK` as arrays of daylight hours x buildings; demand of all hours is never held by building,
because all buildings of one use share one shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.sparse

from twin.energy.uses import energy_uses

CHUNK = 512
"""Buildings computed at a time."""

Hours = Callable[[Sequence[str]], pd.DataFrame]
"""Gives AC power [W] of some roofs, daylight hours x roofs; see `twin.solar.yields.read_hours`."""


@dataclass(frozen=True)
class Pool:
    """Buildings that share their power, group by group: ``member`` is buildings x groups, 1 where a building belongs."""

    keys: tuple[str, ...]
    member: scipy.sparse.csr_matrix


@dataclass(frozen=True)
class PooledHours:
    """PV and demand [kWh] of each group in each hour of the year, hours x groups."""

    keys: tuple[str, ...]
    pv_kwh: np.ndarray
    demand_kwh: np.ndarray

    @property
    def used_kwh(self) -> np.ndarray:
        """What the pool uses of its own sun in each hour [kWh]."""
        return np.minimum(self.pv_kwh, self.demand_kwh)

    def yearly(self) -> pd.DataFrame:
        """Return `pooled_self_consumed_kwh`, `pooled_export_kwh`, `pooled_peak_import_kw` and `…_export_kw` by group."""
        net = self.demand_kwh - self.pv_kwh
        used = self.used_kwh.sum(axis=0)
        return pd.DataFrame(
            {
                "pooled_self_consumed_kwh": used,
                "pooled_export_kwh": self.pv_kwh.sum(axis=0) - used,
                # a mean over one hour: kWh are kW
                "pooled_peak_import_kw": np.maximum(net, 0.0).max(axis=0, initial=0.0),
                "pooled_peak_export_kw": np.maximum(-net, 0.0).max(axis=0, initial=0.0),
            },
            index=pd.Index(self.keys),
        )


@dataclass(frozen=True)
class Balance:
    """What was matched: by building, and hour by hour for each pool."""

    buildings: pd.DataFrame
    """`building_id`, `self_consumed_kwh`, `export_kwh`, `peak_import_kw`, `peak_export_kw`; missing without a demand."""
    pools: dict[str, PooledHours]


def hourly_balance(
    demand: pd.DataFrame,
    roofs: pd.DataFrame,
    hours: Hours,
    *,
    shapes: np.ndarray,
    daylight: np.ndarray,
    pools: Mapping[str, Pool],
) -> Balance:
    """Match the sun of each building's roofs with its demand in every hour of the year.

    Parameters
    ----------
    demand
        As `twin.energy.demand.building_demand` gives it.
    roofs
        `roof_id` and `building_id`; roofs of other buildings are passed over.
    hours
        AC power of roofs in the daylight hours [W].
    shapes
        Load shapes of all uses, hours x uses; see `twin.energy.shapes.load_shapes`.
    daylight
        Which hours of the year have sun; shape (hours,).
    pools
        Groups of buildings by kind, over the rows of ``demand``.

    Notes
    -----
    All sums run in a fixed order. A building without a known demand adds its sun to its pools, and no demand.
    """
    names = list(energy_uses())
    use = demand["energy_use"].map({name: number for number, name in enumerate(names)}).to_numpy()
    yearly = demand["demand_kwh"].to_numpy("float64")
    known = np.isfinite(yearly)
    yearly = np.where(known, yearly, 0.0)
    lit, darkest = shapes[daylight], shapes[~daylight].max(axis=0, initial=0.0)
    order = pd.Index(demand["building_id"])
    owner = order.get_indexer(roofs["building_id"])
    roof_ids = roofs["roof_id"].to_numpy(dtype=object)[np.argsort(owner, kind="stable")]
    owner = np.sort(owner, kind="stable")
    count = len(order)
    result = {name: np.zeros(count) for name in ("self_consumed_kwh", "export_kwh", "peak_import_kw", "peak_export_kw")}
    sun = {kind: np.zeros((len(lit), len(pool.keys))) for kind, pool in pools.items()}
    for start in range(0, count, CHUNK):
        some = slice(start, min(start + CHUNK, count))
        first, last = np.searchsorted(owner, [some.start, some.stop])
        pv = _power_kwh(hours, roof_ids[first:last], owner[first:last] - start, some.stop - start, len(lit))
        drawn = lit[:, use[some]] * yearly[some]
        used = np.minimum(pv, drawn)
        net = drawn - pv
        result["self_consumed_kwh"][some] = used.sum(axis=0)
        result["export_kwh"][some] = pv.sum(axis=0) - used.sum(axis=0)
        result["peak_import_kw"][some] = np.maximum(net.max(axis=0, initial=0.0), darkest[use[some]] * yearly[some])
        result["peak_export_kw"][some] = (-net).max(axis=0, initial=0.0)
        for kind, pool in pools.items():
            # a sparse product takes the members of each group in their order
            sun[kind] += (pool.member[some].T @ pv.T).T
    for values in result.values():
        values[~known] = np.nan
    return Balance(
        buildings=pd.DataFrame({"building_id": order.to_numpy(), **result}),
        pools={
            kind: _pooled(pool, sun[kind], use=use, yearly=yearly, shapes=shapes, daylight=daylight)
            for kind, pool in pools.items()
            if pool.keys
        },
    )


def _power_kwh(hours: Hours, roof_ids: np.ndarray, owner: np.ndarray, buildings: int, lit: int) -> np.ndarray:
    """Return AC energy [kWh] of each building, daylight hours x buildings."""
    if not len(roof_ids):
        return np.zeros((lit, buildings))
    power = hours(list(roof_ids)).to_numpy(dtype=np.float64)
    if len(roof_ids) == buildings and (owner == np.arange(buildings)).all():
        return power / 1000.0
    of = scipy.sparse.csr_matrix((np.ones(len(owner)), (owner, np.arange(len(owner)))), shape=(buildings, len(owner)))
    return np.ascontiguousarray((of @ power.T).T) / 1000.0


def _pooled(
    pool: Pool, sun: np.ndarray, *, use: np.ndarray, yearly: np.ndarray, shapes: np.ndarray, daylight: np.ndarray
) -> PooledHours:
    by_use = np.zeros((shapes.shape[1], len(pool.keys)))
    for number in range(shapes.shape[1]):
        by_use[number] = pool.member.T @ np.where(use == number, yearly, 0.0)
    pv = np.zeros((len(shapes), len(pool.keys)))
    pv[daylight] = sun
    return PooledHours(pool.keys, pv, shapes @ by_use)
