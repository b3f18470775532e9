from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from twin.energy.balance import CHUNK, Pool, hourly_balance
from twin.energy.demand import building_demand
from twin.energy.pools import pool_of, pools_of
from twin.energy.ratios import energy_ratios
from twin.energy.shapes import is_holiday, load_shapes
from twin.energy.tables import demand_profiles, hourly_table
from twin.energy.uses import energy_uses, use_numbers

# four hours, the first and last dark; every use draws 10, 20, 30 and 40 % of its year in them
SHAPES = np.repeat([[0.1], [0.2], [0.3], [0.4]], len(energy_uses()), axis=1)
DAYLIGHT = np.array([False, True, True, False])
YEAR = pd.date_range("2022-12-31 15:30", periods=8760, freq="h", tz="UTC")


def demand(kwh, uses=None):
    names = [f"b{number}" for number in range(len(kwh))]
    return pd.DataFrame(
        {"building_id": names, "energy_use": uses or ["house"] * len(kwh), "demand_kwh": np.array(kwh, dtype=float)}
    )


def hours_of(table):
    return lambda roof_ids: pd.DataFrame({name: table[name] for name in roof_ids})


def two_houses(**changes):
    # a draws 100 kWh: 20 and 30 by day; its roofs give 5 + 5 = 10, then 40. b draws 200: 40 and 60; its roof gives 80, then 0
    roofs = pd.DataFrame({"roof_id": ["r0", "r1", "r2"], "building_id": ["b0", "b1", "b0"]})
    power = {"r0": [5_000.0, 25_000.0], "r1": [80_000.0, 0.0], "r2": [5_000.0, 15_000.0]}
    pools = {"all": pool_of(pd.Series(["x", "x"])), "apart": pool_of(pd.Series(["y", None]))}
    options = {"shapes": SHAPES, "daylight": DAYLIGHT, "pools": pools} | changes
    return hourly_balance(demand([100, 200]), roofs, hours_of(power), **options)


def test_each_building_by_hand():
    found = two_houses().buildings.set_index("building_id")
    # a: min(10, 20) + min(40, 30) = 40 of 50; b: min(80, 40) + 0 = 40 of 80
    assert list(found["self_consumed_kwh"]) == [40.0, 40.0]
    assert list(found["export_kwh"]) == [10.0, 40.0]
    # a: the dark hour of 40 kWh; b: the dark hour of 80
    assert list(found["peak_import_kw"]) == [40.0, 80.0]
    assert list(found["peak_export_kw"]) == [10.0, 40.0]


def test_a_pool_keeps_what_its_members_would_export_to_each_other():
    pooled = two_houses().pools["all"].yearly().loc["x"]
    # 90 against 60, then 40 against 90: 60 + 40
    assert pooled["pooled_self_consumed_kwh"] == 100.0
    assert pooled["pooled_export_kwh"] == 30.0
    assert pooled["pooled_peak_import_kw"] == 120.0
    assert pooled["pooled_peak_export_kw"] == 30.0


def test_who_is_in_no_group_counts_in_none():
    alone = two_houses().pools["apart"]
    assert alone.keys == ("y",)
    assert list(alone.pv_kwh[:, 0]) == [0.0, 10.0, 40.0, 0.0]
    assert list(alone.demand_kwh[:, 0]) == [10.0, 20.0, 30.0, 40.0]


def test_many_buildings_in_chunks_equal_one_array():
    count = 2 * CHUNK + 77
    random = np.random.default_rng(7)
    power = {f"r{number}": random.uniform(0, 9000, 2) for number in range(count)}
    roofs = pd.DataFrame({"roof_id": sorted(power), "building_id": ["b" + name[1:] for name in sorted(power)]})
    yearly = random.uniform(1, 50, count)
    group = pd.Series(np.where(np.arange(count) % 3, "x", "z"))
    found = hourly_balance(
        demand(yearly), roofs, hours_of(power), shapes=SHAPES, daylight=DAYLIGHT, pools={"all": pool_of(group)}
    )
    pv = np.array([power[f"r{number}"] for number in range(count)]).T / 1000
    drawn = np.array([[0.2], [0.3]]) * yearly
    assert found.buildings["self_consumed_kwh"].to_numpy() == pytest.approx(np.minimum(pv, drawn).sum(axis=0))
    assert found.buildings["export_kwh"].to_numpy() == pytest.approx(np.maximum(pv - drawn, 0).sum(axis=0))
    pooled = found.pools["all"]
    assert pooled.pv_kwh[1:3].sum(axis=1) == pytest.approx(pv.sum(axis=1))
    assert pooled.demand_kwh.sum() == pytest.approx(yearly.sum())
    # a pool never uses less than its members alone
    assert pooled.yearly()["pooled_self_consumed_kwh"].sum() >= found.buildings["self_consumed_kwh"].sum()


def test_shapes_are_one_year_and_holidays_are_quieter_at_the_office():
    shapes = load_shapes(YEAR, "Asia/Seoul")
    assert shapes.sum(axis=0) == pytest.approx(1.0)
    off = is_holiday(YEAR.tz_convert("Asia/Seoul"))
    # 2023: 105 weekend days, and of the eight fixed days all but New Year's Day, a Sunday, fall on weekdays
    assert off.sum() == 24 * (105 + 7)
    office = list(energy_uses()).index("office")
    assert shapes[off, office].mean() < 0.7 * shapes[~off, office].mean()


def test_homes_draw_most_in_august_as_kepco_tells():
    local = YEAR.tz_convert("Asia/Seoul")
    home = load_shapes(YEAR, "Asia/Seoul")[:, list(energy_uses()).index("apartment")]
    by_month = pd.Series(home).groupby(local.month.to_numpy()).mean()
    assert by_month.idxmax() == 8
    # KEPCO: 333 kWh in August 2023 against a mean month of about 280
    assert by_month[8] / by_month.mean() == pytest.approx(333 / 280, abs=0.03)


@pytest.mark.parametrize(
    ("code", "use"),
    [("02001", "apartment"), ("01003", "house"), ("14100", "office"), ("10000", "school"), ("Z3000", "shop"), (None, "unknown"), ("99", "unknown")],
)  # fmt: skip
def test_use_codes_find_their_energy_use(code, use):
    assert list(energy_uses())[use_numbers(pd.Series([code], dtype="str"))[0]] == use


def test_demand_is_floor_area_times_intensity():
    houses = pd.DataFrame(
        {
            "building_id": ["a", "b", "c"],
            "use_code": ["02001", "01000", None],
            "floor_area_m2": [1000.0, 180.0, 150.0],
            "homes": pd.array([10, None, None], dtype="Int64"),
        }
    )
    found = building_demand(houses)
    # 36, 38 and 60 kWh/m2 of the parameter file
    assert list(found["demand_kwh"][:2]) == [36_000.0, 6_840.0]
    assert found["energy_use"].iloc[2] == "unknown"
    # ten homes of 100 m2: what a Korean household draws lies between 3,400 and 4,000 kWh a year
    assert 3400 <= found["home_demand_kwh"].iloc[0] / 10 <= 4000
    assert found["home_demand_kwh"][1:].isna().all()


def test_pools_count_each_building_in_one_dong_and_in_the_district_by_its_point():
    buildings = gpd.GeoDataFrame(
        {"dong_code": ["4121010500", "4121010700", "4121010700"], "block_id": ["A-1", None, "A-1"]},
        geometry=[shapely.box(x, 0, x + 1, 1) for x in (0, 10, 12)], crs="EPSG:5186",
    )  # fmt: skip
    rows = gpd.GeoDataFrame(
        {"dong_code": ["4121010500", "4121010700", "DISTRICT"], "kind": ["legal_dong", "legal_dong", "district"]},
        geometry=[shapely.box(-1, -1, 5, 5), shapely.box(5, -1, 20, 5), shapely.box(-1, -1, 11.2, 5)], crs="EPSG:5186",
    )  # fmt: skip
    pools = pools_of(buildings, rows)
    assert pools["districts"].member.toarray().tolist() == [[1, 0, 1], [0, 1, 1], [0, 1, 0]]
    assert pools["blocks"].keys == ("A-1",)
    assert pools["blocks"].member.toarray().ravel().tolist() == [1, 0, 1]
    assert "blocks" not in pools_of(buildings.drop(columns="block_id"), rows)


def test_shares_are_missing_where_there_is_nothing_to_divide_by():
    frame = pd.DataFrame({"yield_kwh": [50.0, 0.0], "self_consumed_kwh": [40.0, 0.0], "demand_kwh": [100.0, 100.0]})
    found = energy_ratios(frame)
    assert found["self_consumption_pct"].iloc[0] == 80.0
    assert np.isnan(found["self_consumption_pct"].iloc[1])
    assert list(found["self_sufficiency_pct"]) == [40.0, 0.0]
    assert "pooled_self_sufficiency_pct" not in found


def test_tables_keep_the_year():
    local_hours = pd.date_range("2023-01-01 00:30", periods=4, freq="h", tz="Asia/Seoul").tz_convert("UTC")
    table = hourly_table(two_houses().pools["all"], local_hours, "Asia/Seoul", "dong_code")
    assert len(table) == 4
    assert str(table["interval_middle"].iloc[0]) == "2023-01-01 00:30:00+09:00"
    assert table["pooled_self_consumed_kwh"].sum() == 100.0
    shapes = load_shapes(YEAR, "Asia/Seoul")
    profiles = demand_profiles(demand([3600, np.nan], ["apartment", "house"]), shapes, YEAR, "Asia/Seoul")
    assert len(profiles) == 12
    days = pd.date_range("2023-01-01", periods=12, freq="MS").days_in_month.to_numpy()
    total = (profiles.filter(like="kw_").to_numpy("float64").sum(axis=1) * days).sum()
    assert total == pytest.approx(3600, rel=1e-5)


def test_an_empty_pool_is_no_fault():
    assert pool_of(pd.Series([None, None], dtype="str")).keys == ()
    assert isinstance(two_houses(pools={}).pools, dict)
    assert Pool((), pool_of(pd.Series(["x"])).member).keys == ()
