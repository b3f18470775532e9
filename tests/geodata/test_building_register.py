from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from geodata.catalogue import LAYERS
from geodata.clean.building_register import QUANTITIES, TEXTS, join_register, roof_checks
from geodata.clean.buildings import clean_buildings

PNU = "412101050010{:03d}0000"


def register_of(*records: dict) -> pd.DataFrame:
    """Return a clean register with these records and nothing else."""
    frame = pd.DataFrame(list(records)).reindex(columns=[*TEXTS, *QUANTITIES])
    return frame.astype(dict.fromkeys(TEXTS, "str") | dict.fromkeys(QUANTITIES, "float64"))


def buildings_of(*records: tuple) -> pd.DataFrame:
    frame = pd.DataFrame(records, columns=["register_id", "pnu", "footprint_area_m2"])
    return frame.astype({"register_id": "str", "pnu": "str"})


def test_the_register_key_comes_before_parcel_and_area():
    buildings = buildings_of(("K1", PNU.format(1), 100.0), (None, PNU.format(1), 50.0))
    register = register_of(
        {"register_id": "K9", "pnu": PNU.format(1), "footprint_area_m2": 100.0},
        {"register_id": "K1", "pnu": PNU.format(1), "footprint_area_m2": 50.0},
    )
    found, named = join_register(buildings, register)
    # by area the other way round; K9 is half as large again as what is left, which is too far
    assert found.tolist() == [1, -1]
    assert named.tolist() == [True, False]


def test_several_buildings_of_a_parcel_are_paired_by_the_nearest_area():
    areas = [100.0, 102.0, 60.0, 20.0]
    buildings = buildings_of(*((None, PNU.format(1), area) for area in areas))
    register = register_of(*({"pnu": PNU.format(1), "footprint_area_m2": area} for area in (61.0, 103.0, 101.5, 500.0)))
    # 102 is nearest to 101.5 and takes it; 100 then gets 103; 20 has nothing of its size
    assert join_register(buildings, register)[0].tolist() == [1, 2, 0, -1]


@pytest.mark.parametrize("area", [np.nan, 12.0])
def test_one_building_and_one_record_alone_belong_together(area):
    register = register_of(
        {"pnu": PNU.format(1), "footprint_area_m2": area}, {"pnu": PNU.format(2), "footprint_area_m2": 1.0}
    )
    assert join_register(buildings_of((None, PNU.format(1), 100.0)), register)[0].tolist() == [0]


def test_keys_that_several_buildings_or_records_share_decide_nothing():
    buildings = buildings_of(
        ("K", PNU.format(1), 10.0), ("K", PNU.format(2), 10.0), ("L", None, 10.0), (None, None, 1.0)
    )
    register = register_of({"register_id": "K"}, {"register_id": "L"}, {"register_id": "L"})
    assert join_register(buildings, register)[0].tolist() == [-1, -1, -1, -1]
    assert join_register(buildings, register_of())[0].tolist() == [-1, -1, -1, -1]


def test_the_order_of_the_register_does_not_matter():
    rng = np.random.default_rng(5)
    buildings = buildings_of(*((None, PNU.format(i % 4), float(a)) for i, a in enumerate(rng.uniform(20, 200, 40))))
    records = [
        {"register_id": f"K{i}", "pnu": PNU.format(i % 4), "footprint_area_m2": float(a)}
        for i, a in enumerate(rng.uniform(20, 200, 40))
    ]
    straight, shuffled = register_of(*records), register_of(*(records[i] for i in rng.permutation(40)))

    def keys(register):
        found = join_register(buildings, register)[0]
        return [register["register_id"].iloc[i] if i >= 0 else None for i in found]

    assert keys(straight) == keys(shuffled)
    assert sum(k is not None for k in keys(straight)) > 20
    matched = [k for k in keys(straight) if k]
    assert len(set(matched)) == len(matched)


def test_what_is_missing_is_filled_and_what_is_known_stays(area, box, raw_layer) -> None:
    shapes = [box(0, 0, 10, 10), box(20, 0, 10, 10), box(40, 0, 10, 10), box(60, 0, 10, 10)]
    raw = raw_layer(
        "buildings", shapes, register_id=["K0", "K1", None, None], pnu=[PNU.format(i) for i in range(4)],
        height_m=[0.0, 15.0, -1.0, 0.0], floors_above=[0, 5, 0, 0], floors_below=[0, 0, 0, 0], use_code=["01000", "02000", None, "01000"],
        structure_code=["21", "21", None, "32"],
    )  # fmt: skip
    register = register_of(
        {"register_id": "K0", "height_m": 6.5, "floors_above": 2.0, "floors_below": 1.0, "roof": "평슬래브"},
        {"register_id": "K1", "height_m": 99.0, "floors_above": 30.0, "structure_code": "11", "roof": "기타지붕", "roof_other": "샌드위치판넬"},
        {"register_id": "X2", "pnu": PNU.format(2), "footprint_area_m2": 90.0, "floors_above": 1.0, "structure_code": "19",
         "use_code": "18000", "roof": "슬레이트", "approved_on": "19750101"},
    )  # fmt: skip
    layer = clean_buildings([raw], area, None, register)
    found = layer.features.set_index("pnu").sort_index()
    assert found["height"].tolist()[:2] == [6.5, 15.0]
    assert found["height_source"].tolist() == ["recorded", "recorded", "floors", "neighbours"]
    assert found["floors_above"].fillna(0).tolist() == [2, 5, 1, 0]
    assert found["floors_below"].tolist() == [1, 0, 0, 0]
    assert found["structure_code"].tolist() == ["21", "21", "19", "32"]
    assert found["use_code"].tolist() == ["01000", "02000", "18000", "01000"]
    assert found["approved_on"].iloc[2] == pd.Timestamp("1975-01-01")
    assert found["roof_type"].fillna("-").tolist() == ["평슬래브", "기타지붕 샌드위치판넬", "슬레이트", "-"]
    # a panel roof on concrete, slate, and a light steel frame that the register does not know
    assert found["roof_check"].fillna("-").tolist() == ["-", "load", "asbestos", "load"]
    told = layer.quality[layer.quality["reason"] == "register_filled"].sort_values("detail")["detail"].tolist()
    assert told == [
        "by parcel and area: floors_above, structure_code, use_code, approved_on",
        "by register key: height_m, floors_above, floors_below",
    ]
    assert layer.measures == {"register_by_key": 2, "register_by_area": 1, "register_without": 1, "register_filled": 2}
    published = LAYERS["buildings"].finish(layer.features)
    assert LAYERS["buildings"].problems(published, area.crs) == []


def test_nothing_is_said_of_roofs_where_nothing_is_known(area, box, raw_layer) -> None:
    plain = clean_buildings([raw_layer("buildings", [box(0, 0, 10, 10)])], area, None)
    assert not {"roof_type", "roof_check"} & set(plain.features.columns)
    framed = clean_buildings([raw_layer("buildings", [box(0, 0, 10, 10)], structure_code=["32"])], area, None)
    assert framed.features["roof_check"].tolist() == ["load"]
    assert "roof_type" not in framed.features.columns


def test_roofs_to_be_checked():
    codes = pd.Series(["21", "31", "34", "21", "21", "51"], dtype="str")
    roofs = pd.Series(["평슬래브", "평슬래브", None, "칼라강판", "스레트", "기와"], dtype="str")
    assert roof_checks(codes, roofs).fillna("-").tolist() == ["-", "load", "load", "load", "asbestos", "-"]
