from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from twin.solar.irradiance import plane_components, plane_of_array
from twin.solar.pv import PvSystem

SYSTEM = PvSystem.from_parameters()


def test_losses_multiply():
    kept = 0.98 * 0.98 * 0.98 * 0.995 * 0.985 * 0.99 * 0.97
    assert SYSTEM.losses_pct == pytest.approx(100 * (1 - kept), abs=1e-9)


def test_dc_at_reference_and_when_hot():
    dc = SYSTEM.dc_power(np.array([1000.0, 1000.0, 0.0]), np.array([25.0, 65.0, 10.0]), 2000.0)
    kept = 1 - SYSTEM.losses_pct / 100
    assert dc == pytest.approx([2000 * kept, 2000 * (1 - 0.0035 * 40) * kept, 0.0])


def test_inverter_clips_at_its_rating_and_sleeps_in_the_dark():
    ac = SYSTEM.ac_power(np.array([0.0, 1.0, 5000.0]), 1200.0)
    assert ac[0] == 0
    assert ac[1] == 0  # less than what the inverter itself needs
    assert ac[2] == pytest.approx(1000.0)  # DC to AC ratio 1.2


def test_cell_temperature_of_both_mountings():
    # King et al. 2004: T = E exp(a + b v) + Ta + E / 1000 dT
    poa, racks = np.full((1, 2), 800.0), np.array([True, False])
    cell = SYSTEM.cell_temperature(poa, np.array([[20.0]]), np.array([[2.0]]), racks)
    assert cell[0, 0] == pytest.approx(800 * np.exp(-3.56 - 0.075 * 2) + 20 + 0.8 * 3)
    assert cell[0, 1] == pytest.approx(800 * np.exp(-2.98 - 0.0471 * 2) + 20 + 0.8 * 1)
    alone = SYSTEM.cell_temperature(poa[:, :1], np.array([[20.0]]), np.array([[2.0]]), racks[:1])
    assert alone[0, 0] == cell[0, 0]


def test_glass_passes_everything_head_on_and_nothing_from_behind():
    modifier = SYSTEM.beam_modifier(np.array([0.0, 60.0, 89.9, 90.0, 120.0]))
    assert modifier[0] == pytest.approx(1.0)
    assert 0.9 < modifier[1] < 1.0
    assert modifier[2] < 0.05
    assert modifier[3] == pytest.approx(0, abs=1e-9)
    assert modifier[4] == 0


@pytest.mark.realdata
def test_pvwatts_dc_and_ac(pvwatts):
    table, resource = pvwatts
    system = replace(SYSTEM, temperature_coefficient=-0.0047, losses_pct=14.08)
    components = plane_components(resource, [20.0], [180.0])
    effective = plane_of_array(components, beam_modifier=system.beam_modifier(components.aoi))
    cell = table["cell"].to_numpy()[resource.daylight][:, None]
    dc = system.dc_power(effective, cell, 4000.0)
    ac = system.ac_power(dc, 4000.0)
    assert dc.sum() == pytest.approx(table["dc"].sum(), rel=1e-3)
    assert ac.sum() == pytest.approx(table["ac"].sum(), rel=1e-3)
    rms = np.sqrt(np.mean((ac[:, 0] - table["ac"].to_numpy()[resource.daylight]) ** 2))
    assert rms < 8.0  # of 4 kW
