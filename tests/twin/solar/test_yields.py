from __future__ import annotations

import hashlib
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pvlib
import pytest
import shapely
from pvlib.modelchain import ModelChain
from pvlib.pvsystem import Array, FixedMount, PVSystem

from geodata.errors import InputError
from twin.same_rows import row_before
from twin.solar import yields
from twin.solar.irradiance import SkyFactors
from twin.solar.kept_yields import KeptYields
from twin.solar.roofs import roof_planes
from twin.solar.yields import read_hours, roof_yields

MONTHS = [f"yield_{month:02d}_kwh" for month in range(1, 13)]


@pytest.fixture(scope="module")
def roofs() -> gpd.GeoDataFrame:
    """Six flat roofs of different size (B3 with room for one row), one too small, and a gable with two planes."""
    boxes = [
        shapely.box(50 * n, 0, 50 * n + side, 2 if n == 3 else 10)
        for n, side in enumerate((5, 8, 12, 20, 25, 30, 1, 20))
    ]
    frame = gpd.GeoDataFrame(
        {
            "building_id": [f"B{n}" for n in range(8)],
            "pnu": "4121010100100010000",
            "dong_code": ["4121010100", "4121010500"] * 4,
        },
        geometry=boxes,
        crs="EPSG:5186",
    )
    gable = gpd.GeoDataFrame(
        {"building_id": "B7", "tilt_deg": 30.0, "azimuth_deg": [90.0, 270.0]},
        geometry=[shapely.box(350, 0, 360, 10), shapely.box(360, 0, 370, 10)],
        crs="EPSG:5186",
    )
    return roof_planes(frame, gable)


@pytest.fixture(scope="module")
def done(roofs, resource, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("yields")
    roof_yields(roofs, resource, out)
    return out


def model_chain(resource, capacity_kwp: float, tilt: float, azimuth: float, racking: str) -> pd.Series:
    """Pvlib's own model chain of the same system, all 8,760 hours [W]."""
    system = PVSystem(
        arrays=[
            Array(
                mount=FixedMount(surface_tilt=tilt, surface_azimuth=azimuth),
                albedo=0.2,
                module_parameters={"pdc0": capacity_kwp * 1000, "gamma_pdc": -0.0035},
                temperature_model_parameters=pvlib.temperature.TEMPERATURE_MODEL_PARAMETERS["sapm"][racking],
            )
        ],
        inverter_parameters={"pdc0": capacity_kwp * 1000 / 1.2 / 0.96, "eta_inv_nom": 0.96},
        losses_parameters={"shading": 0},
    )
    chain = ModelChain(
        system,
        pvlib.location.Location(resource.latitude, resource.longitude, altitude=resource.altitude_m),
        aoi_model="physical",
        spectral_model="no_loss",
        losses_model="pvwatts",
        transposition_model="perez",
        temperature_model="sapm",
    )
    chain.run_model(resource.hourly[["ghi", "dni", "dhi", "temp_air", "wind_speed"]])
    return chain.results.ac.fillna(0.0)


@pytest.mark.parametrize(
    ("roof_id", "mounting"),
    [
        ("B3-1", (30.0, 180.0, "open_rack_glass_polymer")),
        ("B7-1", (30.0, 90.0, "close_mount_glass_glass")),
        ("B7-2", (30.0, 270.0, "close_mount_glass_glass")),
    ],
)
def test_each_hour_agrees_with_pvlibs_model_chain(done, roofs, resource, roof_id, mounting):
    capacity = roofs.set_index("roof_id").at[roof_id, "capacity_kwp"]
    expected = model_chain(resource, capacity, *mounting)
    ours = read_hours(done, [roof_id])[roof_id]
    assert ours.index.equals(resource.lit.index)
    assert np.abs(ours - expected[ours.index]).max() < 1e-3 * capacity  # float32 of kW
    assert expected.drop(ours.index).max() == 0
    row = pd.read_parquet(done / "roofs.parquet").set_index("roof_id").loc[roof_id]
    assert row["yield_kwh"] == pytest.approx(expected.sum() / 1000, rel=1e-9)
    local = expected.tz_convert("Asia/Seoul")
    assert row[MONTHS].to_numpy(dtype=float) == pytest.approx(
        local.groupby(local.index.month).sum().to_numpy() / 1000, rel=1e-9
    )


def test_yearly_irradiation_of_roof_and_module_plane(done, roofs, resource):
    table = pd.read_parquet(done / "roofs.parquet").set_index("roof_id")
    lit = resource.lit
    for roof_id, (tilt, azimuth), (module_tilt, module_azimuth) in [
        ("B3-1", (0, 180), (30, 180)),
        ("B7-1", (30, 90), (30, 90)),
    ]:
        for column, plane in (("irradiation_kwh_m2", (tilt, azimuth)), ("poa_kwh_m2", (module_tilt, module_azimuth))):
            total = pvlib.irradiance.get_total_irradiance(
                *plane, lit["apparent_zenith"], lit["azimuth"], lit["dni"], lit["ghi"], lit["dhi"],
                dni_extra=lit["dni_extra"], albedo=0.2, model="perez",
            )  # fmt: skip
            assert table.at[roof_id, column] == pytest.approx(total["poa_global"].sum() / 1000, rel=1e-9)


def test_rows_take_from_each_other_what_pvlib_says(done, roofs, resource):
    lit = resource.lit
    sky = pvlib.irradiance.perez(
        30, 180, lit["dhi"], lit["dni"], lit["dni_extra"], lit["apparent_zenith"], lit["azimuth"], lit["airmass"],
        return_components=True,
    )  # fmt: skip
    beam = pvlib.irradiance.beam_component(30, 180, lit["apparent_zenith"], lit["azimuth"], lit["dni"])
    ground = pvlib.irradiance.get_ground_diffuse(30, lit["ghi"], 0.2)
    pitch = 1.134 * (np.cos(np.radians(30)) + np.sin(np.radians(30)) / np.tan(np.radians(29)))
    shaded = pvlib.shading.shaded_fraction1d(
        lit["apparent_zenith"], lit["azimuth"], 90, 30, collector_width=1.134, pitch=pitch
    )
    diffuse = pvlib.shading.sky_diffuse_passias(pvlib.shading.masking_angle_passias(30, 1.134 / pitch))
    table = pd.read_parquet(done / "roofs.parquet").set_index("roof_id")
    behind = roofs.set_index("roof_id")["behind_row_share"].round(2)
    assert behind["B4-1"] > 0.5
    for roof_id in ("B0-1", "B4-1", "B3-1"):
        share = behind[roof_id]
        total = (
            (beam + sky["poa_circumsolar"]) * (1 - share * shaded)
            + sky["poa_isotropic"] * (1 - share * diffuse)
            + ground
        )
        # the horizon band is the rest: a few parts in a thousand
        rest = table.at[roof_id, "poa_kwh_m2"] - total.sum() / 1000
        band = sky["poa_horizon"].sum() / 1000
        assert min(0.0, band) - 1e-6 <= rest <= max(0.0, band) + 1e-6
    assert table.at["B4-1", "poa_kwh_m2"] < table.at["B3-1", "poa_kwh_m2"]
    assert table.at["B4-1", "irradiation_kwh_m2"] == table.at["B3-1", "irradiation_kwh_m2"]


def test_tables_fit_together(done, roofs, resource):
    table = pd.read_parquet(done / "roofs.parquet")
    assert table["roof_id"].tolist() == roofs["roof_id"].tolist()
    assert table[MONTHS].sum(axis=1).to_numpy() == pytest.approx(table["yield_kwh"].to_numpy())
    assert table["yield_kwh"].to_numpy() == pytest.approx(
        (table["specific_yield_kwh_kwp"] * table["capacity_kwp"]).fillna(0).to_numpy()
    )
    small = table.set_index("roof_id").loc["B6-1"]
    assert (small["capacity_kwp"], small["yield_kwh"]) == (0, 0)
    assert np.isnan(small["specific_yield_kwh_kwp"])
    assert small["poa_kwh_m2"] > 0

    hours = pd.read_parquet(done / "hourly_by_dong.parquet")
    assert list(hours.columns) == ["interval_middle", "4121010100", "4121010500"]
    assert len(hours) == 8760
    assert hours["interval_middle"].iloc[0] == pd.Timestamp("2023-01-01T00:30+09:00")
    by_dong = table["yield_kwh"].groupby(roofs["dong_code"]).sum()
    assert hours.drop(columns="interval_middle").sum().to_dict() == pytest.approx(by_dong.to_dict())

    profile = pd.read_parquet(done / "profile_by_building.parquet")
    assert len(profile) == 8 * 12
    days = profile["month"].map(dict(enumerate((31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), start=1)))
    energy = (profile.filter(like="kw_").sum(axis=1) * days).groupby(profile["building_id"]).sum()
    by_building = table["yield_kwh"].groupby(roofs["building_id"]).sum()
    assert energy.to_numpy() == pytest.approx(by_building.to_numpy(), rel=1e-5)


def test_profile_is_the_mean_day_of_each_month_in_local_time(done, roofs):
    hours = read_hours(done, ["B7-1", "B7-2"]).sum(axis=1).tz_convert("Asia/Seoul")
    mean = hours[hours.index.month == 6].groupby(hours.index[hours.index.month == 6].hour).sum() / 30 / 1000
    profile = pd.read_parquet(done / "profile_by_building.parquet").query("building_id == 'B7' and month == 6").iloc[0]
    for hour in range(24):
        assert profile[f"kw_{hour:02d}"] == pytest.approx(mean.get(hour, 0.0), rel=1e-4)
    # sun over Siheung culminates at half past twelve
    assert profile.filter(like="kw_").astype(float).idxmax() in {"kw_11", "kw_12", "kw_13"}


def bits(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def test_same_input_same_bytes(done, roofs, resource, tmp_path):
    seen: list[tuple[int, int]] = []
    report = roof_yields(roofs, resource, tmp_path, progress=lambda *state: seen.append(state))
    assert bits(tmp_path) == bits(done)
    assert seen == [(len(roofs), len(roofs))]
    assert (report.roofs, report.roofs_with_modules, report.orientations, report.unshaded) == (9, 8, 3, True)
    assert report.yield_kwh == pytest.approx(pd.read_parquet(done / "roofs.parquet")["yield_kwh"].sum())
    assert report.capacity_kwp == pytest.approx(roofs["capacity_kwp"].sum())


@pytest.fixture(params=[0, 256])
def small_chunks(request, monkeypatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr("twin.solar.kept_yields.CHUNK", 4)
    monkeypatch.setattr(yields, "CHUNK", 4)
    monkeypatch.setattr(yields, "_SHARED_ORIENTATIONS", request.param)
    return monkeypatch


def test_chunks_and_shared_orientations_change_nothing(done, roofs, resource, tmp_path, small_chunks):
    report = roof_yields(roofs, resource, tmp_path)
    assert report.chunks == 3
    for name in ("roofs.parquet", "profile_by_building.parquet"):
        pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / name), pd.read_parquet(done / name), rtol=1e-12)
    wanted = ["B7-2", "B0-1", "B4-1"]
    chunked = read_hours(tmp_path, wanted)
    small_chunks.undo()
    pd.testing.assert_frame_equal(chunked, read_hours(done, wanted), rtol=1e-6)


def test_free_planes_told_as_factors_give_the_same(done, roofs, resource, tmp_path):
    asked: list[tuple[slice, str]] = []

    def free(rows: slice, plane: str) -> SkyFactors:
        asked.append((rows, plane))
        return SkyFactors()

    report = roof_yields(roofs, resource, tmp_path, free)
    assert not report.unshaded
    assert asked == [(slice(0, 9), "roof"), (slice(0, 9), "module")]
    for name in ("roofs.parquet", "hourly_by_dong.parquet", "profile_by_building.parquet"):
        table = pd.read_parquet(tmp_path / name)
        if name == "roofs.parquet":
            # of the rows' own shade nothing is told here
            assert (table.pop("shading_loss_pct") == 0).all()
            assert (table.pop("sky_view") == 1).all()
        pd.testing.assert_frame_equal(table, pd.read_parquet(done / name), rtol=1e-12)


def test_a_plane_in_deep_shade_lives_on_what_is_left(done, roofs, resource, tmp_path):
    lit = int(resource.daylight.sum())

    def first_roof_sees_no_sun(rows: slice, plane: str) -> SkyFactors:
        seen = np.ones((lit, rows.stop - rows.start))
        seen[:, 0] = 0.0
        return SkyFactors(beam=seen, circumsolar=seen)

    roof_yields(roofs, resource, tmp_path, first_roof_sees_no_sun)
    dark, free = (pd.read_parquet(folder / "roofs.parquet").set_index("roof_id") for folder in (tmp_path, done))
    share = dark["specific_yield_kwh_kwp"] / free["specific_yield_kwh_kwp"]
    assert 0.1 < share["B0-1"] < 0.8
    assert share.drop(["B0-1", "B6-1"]).to_numpy() == pytest.approx(1.0, rel=1e-12)
    assert dark.at["B0-1", "poa_kwh_m2"] < 0.8 * free.at["B0-1", "poa_kwh_m2"]


def test_what_cannot_be_computed_is_refused(done, roofs, resource, tmp_path):
    with pytest.raises(InputError, match="sorted by a unique roof_id"):
        roof_yields(roofs.iloc[::-1], resource, tmp_path)
    with pytest.raises(InputError, match="lies in no legal dong"):
        roof_yields(roofs.assign(dong_code=None), resource, tmp_path)
    with pytest.raises(InputError, match="no hourly yield of roof 'B99-1'"):
        read_hours(done, ["B99-1"])


def test_a_town_without_roofs(roofs, resource, tmp_path):
    report = roof_yields(roofs.iloc[:0], resource, tmp_path)
    assert (report.roofs, report.yield_kwh) == (0, 0.0)
    assert len(pd.read_parquet(tmp_path / "roofs.parquet")) == 0
    assert len(pd.read_parquet(tmp_path / "hourly_by_dong.parquet")) == 8760
    assert read_hours(tmp_path).shape == (int(resource.daylight.sum()), 0)


def hashes(folder: Path) -> dict[str, str]:
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


@pytest.mark.parametrize("edited", [["B3-1"], ["B0-1"], ["B0-1", "B7-1"], ["B1-1", "B2-1", "B4-1", "B5-1"], []])
def test_roofs_that_nothing_has_changed_for_keep_their_yields_bit_for_bit(
    roofs, resource, tmp_path, monkeypatch, edited
):
    """As after an edit of some roofs: what is kept and what is computed again must not be told apart."""
    monkeypatch.setattr("twin.solar.kept_yields.CHUNK", 4)
    monkeypatch.setattr(yields, "CHUNK", 4)
    lit = int(resource.daylight.sum())
    rng = np.random.default_rng(3)
    seen = {roof: rng.uniform(0.2, 1.0, lit) for roof in roofs["roof_id"]}

    def sky_of(table: pd.DataFrame, seen: dict[str, np.ndarray]):
        def factors(rows: slice, plane: str) -> SkyFactors:
            beam = np.column_stack([seen[roof] for roof in table["roof_id"].iloc[rows]])
            return SkyFactors(
                beam=beam,
                circumsolar=beam,
                isotropic=np.array([[seen[roof][0] for roof in table["roof_id"].iloc[rows]]]),
            )

        return factors

    roof_yields(roofs, resource, tmp_path / "before", sky_of(roofs, seen))
    now = roofs[roofs["roof_id"] != "B6-1"].reset_index(drop=True)
    now.loc[now["roof_id"].isin(edited), "capacity_kwp"] *= 1.5
    kept = KeptYields(
        tmp_path / "before", row_before(now, roofs, "roof_id", roofs.columns.drop("roof_id"), outlines=False)
    )
    assert list(now["roof_id"][kept.rows < 0]) == edited
    seen |= {roof: rng.uniform(0.2, 1.0, lit) for roof in edited}
    again = now[kept.rows < 0]
    warm = roof_yields(now, resource, tmp_path / "warm", sky_of(again, seen), kept=kept)
    cold = roof_yields(now, resource, tmp_path / "cold", sky_of(now, seen))
    assert warm == cold
    assert hashes(tmp_path / "warm") == hashes(tmp_path / "cold")
    assert hashes(tmp_path / "warm") != hashes(tmp_path / "before")
