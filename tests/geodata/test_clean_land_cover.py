from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geodata.clean.land_cover import clean_land_cover, land_cover_classes


def reasons(layer) -> dict[str, int]:
    """Reasons of records; that most of the test area is bare is told too, and asked in a test of its own."""
    return layer.quality.loc[layer.quality["reason"] != "cover_gap", "reason"].value_counts().to_dict()


def shared_ground(layer) -> float:
    """Sum of pairwise overlaps, by comparing the sum of all areas with the area of their union."""
    shapes = layer.features.geometry.to_numpy()
    return float(shapely.area(shapes).sum() - shapely.area(shapely.union_all(shapes)))


def test_the_41_classes() -> None:
    classes = land_cover_classes()
    level_1 = pd.Series(list(classes)).str[0].value_counts().sort_index()
    assert level_1.tolist() == [14, 8, 3, 4, 3, 6, 3]
    assert all(words["ko"] and words["en"] for words in classes.values())


def test_codes_and_the_books(area, box, raw_layer) -> None:
    shapes = [
        box(0, 0, 100, 100),
        box(100, 0, 100, 100),
        box(200, 0, 100, 100),
        box(300, 0, 100, 100),  # no such class
        box(400, 0, 100, 100),  # no class
        box(-50, 300, 60, 100),  # reaches into the area: kept whole, though most of it lies outside
        box(-200, 300, 100, 100),  # outside
        None,
    ]
    codes = ["111", "311.0", " 0411", "999", None, "711", "711", "711"]
    codes[2] = "411"
    layer = clean_land_cover([raw_layer("land_cover", shapes, class_code=codes, product="SG05", vintage="2023")], area)
    account = layer.account
    assert (account.read, account.published, account.outside, account.merged, account.reasoned) == (8, 4, 1, 0, 3)
    assert layer.features["class_code"].tolist() == ["111", "311", "411", "711"]
    assert layer.features.geometry.area.tolist() == pytest.approx([10_000, 10_000, 10_000, 6_000])
    assert set(layer.features["source"]) == {"SG05 2023"}
    assert reasons(layer) == {"code_unknown": 2, "no_geometry": 1}
    assert list(layer.features.columns) == ["class_code", "source", "geometry"]


def test_number_codes_are_read_as_text(area, box, raw_layer) -> None:
    layer = clean_land_cover([raw_layer("land_cover", [box(0, 0, 10, 10), None], class_code=[311, np.nan])], area)
    assert layer.features["class_code"].tolist() == ["311"]


def test_newer_sheets_keep_the_ground(area, box, raw_layer) -> None:
    old = raw_layer("land_cover", [box(0, 0, 100, 100)], class_code=["211"], product="SG05", vintage="2019")
    new = raw_layer("land_cover", [box(90, 0, 100, 100)], class_code=["112"], product="SG05", vintage="2023-05")
    for sheets in ([old, new], [new, old]):
        layer = clean_land_cover(sheets, area)
        assert dict(zip(layer.features["class_code"], layer.features.geometry.area, strict=True)) == pytest.approx(
            {"112": 10_000, "211": 9_000}
        )
        assert reasons(layer) == {"overlap_trimmed": 1}


def test_first_dataset_then_smaller_polygon(area, box, raw_layer) -> None:
    first = raw_layer("land_cover", [box(0, 0, 100, 100), box(40, 40, 10, 10)], class_code=["211", "154"])
    second = raw_layer(
        "land_cover",
        [box(50, 0, 100, 100), box(10, 10, 20, 20), box(200, 0, 10, 10), box(200, 0, 10, 10)],
        class_code=["311", "311", "411", "411"],
    )
    layer = clean_land_cover([first, second], area)
    # 154 lies inside 211 and is smaller; 311 loses its western half to 211; the small 311 lies wholly under 211
    by_class = layer.features.groupby("class_code")["geometry"].agg(lambda shapes: shapes.area.sum()).to_dict()
    assert by_class == pytest.approx({"154": 100, "211": 9_900, "311": 5_000, "411": 100})
    assert reasons(layer) == {"overlap_trimmed": 2, "overlap_absorbed": 1, "exact_duplicate": 1}
    account = layer.account
    assert (account.read, account.published, account.merged) == (6, 4, 2)
    assert shared_ground(layer) == pytest.approx(0, abs=1e-6)


def test_a_clean_coverage_is_left_alone(area, box, raw_layer) -> None:
    shapes = [box(x * 10, y * 10, 10, 10) for x in range(20) for y in range(20)]
    layer = clean_land_cover([raw_layer("land_cover", shapes, class_code=["311"] * 400)], area)
    assert reasons(layer) == {}
    assert set(layer.features.geometry.to_wkt()) == {shape.wkt for shape in shapes}


def test_overlaps_gaps_slivers_and_odd_codes_leave_reasons_and_every_square_metre_counts_once(
    area, box, raw_layer
) -> None:
    """The kilometre under two sheets that overlap by 20 m and leave a strip of 10 m; a needle and an odd class lie in it."""
    old = [box(0, 0, 520, 1000), box(100, 100, 50, 0.0001), box(700, 0, 100, 100)]
    new = [box(500, 0, 200, 1000), box(710, 0, 290, 1000)]
    sheets = [
        raw_layer("land_cover", old, class_code=["311", "111", "888"], vintage="2019"),
        raw_layer("land_cover", new, class_code=["112", "211"], vintage="2023"),
    ]
    layer = clean_land_cover(sheets, area)
    assert (
        layer.account.read
        == layer.account.outside + len(layer.features) + layer.account.merged + layer.account.reasoned
    )
    assert reasons(layer) == {"overlap_trimmed": 1, "geometry_collapsed": 1, "code_unknown": 1}
    gap = layer.quality.loc[layer.quality["reason"] == "cover_gap", "detail"]
    assert gap.tolist() == ["10,000.0 m2, 1.00 % of the study area"]
    assert layer.features.geometry.area.sum() == pytest.approx(990_000)
    assert shared_ground(layer) == pytest.approx(0, abs=1e-6)


def test_a_covered_area_has_no_gap(area, box, raw_layer) -> None:
    layer = clean_land_cover(
        [raw_layer("land_cover", [box(-10, -10, 600, 1100), box(590, -10, 600, 1100)], class_code=["311"] * 2)], area
    )
    assert len(layer.quality) == 0


COORDINATE = st.integers(min_value=-10, max_value=30).map(float)
SHAPE = st.lists(st.tuples(COORDINATE, COORDINATE), min_size=3, max_size=6).map(
    lambda points: shapely.Polygon([(190_000 + x, 540_000 + y) for x, y in points])
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sheets=st.lists(
        st.tuples(
            st.sampled_from(["2019", "2023"]),
            st.lists(st.tuples(SHAPE, st.sampled_from(["111", "311", "000"])), max_size=6),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_no_overlap_no_invalid_shape_no_lost_record(area, raw_layer, sheets) -> None:
    raw = [
        raw_layer("land_cover", [s for s, _ in records], class_code=[c for _, c in records], vintage=vintage)
        for vintage, records in sheets
    ]
    layer = clean_land_cover(raw, area)
    account = layer.account
    assert account.read == sum(len(records) for _, records in sheets)
    assert account.read == account.outside + len(layer.features) + account.merged + account.reasoned
    shapes = layer.features.geometry.to_numpy()
    assert shapely.is_valid(shapes).all()
    if len(shapes):
        assert shared_ground(layer) == pytest.approx(0, abs=1e-3 * len(shapes))
    # the ground that known classes cover is the same before and after, whoever keeps it
    known = [
        shapely.make_valid(s, method="structure", keep_collapsed=False) for _, rs in sheets for s, c in rs if c != "000"
    ]
    touching = [s for s in known if s.area > 0.01 and s.intersects(area.area)]
    assert shapely.area(shapely.union_all(shapes)) == pytest.approx(
        shapely.area(shapely.union_all(touching)), abs=0.05 * 18
    )
