from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely.affinity import translate

from geodata.accounting import AccountingError
from geodata.catalogue import LAYERS
from geodata.clean.parcels import clean_parcels
from geodata.inventory import Dataset, RawLayer
from geodata.study_area import StudyArea, legal_dongs

PNU = "412101050010{:03d}0000"


def reasons(layer) -> dict[str, int]:
    return layer.quality["reason"].value_counts().to_dict()


def test_every_record_has_one_fate(area, box, raw_layer) -> None:
    bow_tie = shapely.transform(
        shapely.from_wkt("POLYGON ((0 0, 2 2, 2 0, 0 2, 0 0))"), lambda p: p * 10 + (190_300, 540_300)
    )
    shapes = [
        box(10, 10, 20, 20),  # published
        box(10, 10, 20, 20),  # exact copy
        box(30, 10, 20, 20),  # second piece of the first PNU
        box(-30, 10, 40, 20),  # representative point outside: not counted
        box(-10, 60, 40, 20),  # representative point inside: kept whole
        box(2000, 10, 20, 20),  # outside
        None,
        shapely.LineString([(190_100, 540_100), (190_200, 540_200)]),  # no area
        shapely.box(0, 0, 10, 10),  # no real place
        box(100, 100, 20, 20),  # block lot with a letter
        box(200, 100, 20, 20),  # no PNU, no lot number
        bow_tie,
    ]
    pnu = [PNU.format(1), PNU.format(1), PNU.format(1), PNU.format(2), PNU.format(3), PNU.format(4), PNU.format(5),
           PNU.format(6), PNU.format(7), "4121010500B01000000", None, PNU.format(8)]  # fmt: skip
    layer = clean_parcels([raw_layer("parcels", shapes, pnu=pnu, outside=100)], area)

    account = layer.account
    assert (account.read, account.outside, account.published, account.merged, account.reasoned) == (112, 102, 3, 2, 5)
    assert reasons(layer) == {
        "exact_duplicate": 1, "same_pnu": 1, "no_geometry": 1, "geometry_collapsed": 1, "coordinates_out_of_range": 1,
        "pnu_malformed": 1, "pnu_missing": 1, "geometry_repaired": 1,
    }  # fmt: skip
    parcels = layer.features.set_index("pnu")
    assert parcels.index.tolist() == [PNU.format(1), PNU.format(3), PNU.format(8)]
    assert parcels["source_rows"].tolist() == [3, 1, 1]
    assert parcels["area_m2"].tolist() == pytest.approx([800.0, 800.0, 200.0])
    assert parcels["dong_code"].unique().tolist() == ["4121010500"]
    # every row that was read is in a parcel, in another place or in the quality table
    assert account.read == account.outside + parcels["source_rows"].sum() + account.reasoned
    published = LAYERS["parcels"].finish(layer.features)
    assert LAYERS["parcels"].problems(published, area.crs) == []


def test_lot_number_and_category(area, box, raw_layer) -> None:
    shapes = [box(40 * i, 0, 20, 20) for i in range(5)]
    layer = clean_parcels(
        [
            raw_layer(
                "parcels",
                shapes,
                pnu=[
                    "4121010500101970026",
                    "4121010500200230001",
                    "4121010500106300000",
                    "4121010500100340000",
                    "4121010500300010000",
                ],
                jibun=["197-26대", "산23-1", "630 대", None, "가-1"],
                jimok=[None, "임야", "630 대", "답", None],
            )
        ],
        area,
    )
    by_pnu = layer.features.set_index("pnu")
    assert by_pnu["jibun"].to_dict() == {
        "4121010500101970026": "197-26",
        "4121010500200230001": "산23-1",
        "4121010500106300000": "630",
        "4121010500100340000": "34",  # said by the PNU
        "4121010500300010000": "가-1",  # a block lot keeps its own words
    }
    assert by_pnu["jimok"].fillna("-").to_dict() == {
        "4121010500101970026": "대",
        "4121010500200230001": "임",
        "4121010500106300000": "대",
        "4121010500100340000": "답",
        "4121010500300010000": "-",
    }


def test_missing_pnu_is_built_from_dong_code_or_dong_name(box, raw_layer) -> None:
    # real dongs here: the two 옥길동 lie side by side, so the name says nothing without the place
    dongs = legal_dongs("EPSG:5186")
    both = dongs[dongs["name_ko"] == "옥길동"].reset_index(drop=True)
    area = StudyArea(crs="EPSG:5186", area=shapely.union_all(both.geometry.to_numpy()), dongs=both)
    points = both.representative_point().to_numpy()
    shapes = [*shapely.buffer(points, 5), shapely.buffer(translate(points[0], 30, 0), 5)]
    layer = clean_parcels(
        [
            raw_layer(
                "parcels",
                shapes,
                dong_name=["옥길동", "옥길동", "경기도 어딘가 없는동"],
                jibun=["산12", "12-3", "1"],
            )
        ],
        area,
    )
    assert layer.features["pnu"].tolist() == ["4119710600200120000", "4121010800100120003"]
    assert reasons(layer) == {"pnu_built": 2, "pnu_missing": 1}
    with_code = clean_parcels(
        [raw_layer("parcels", shapes[1:2], dong_code=["4121010800"], jibun=["12-3"], pnu=[" "])], area
    )
    assert with_code.features["pnu"].tolist() == ["4121010800100120003"]


def test_order_of_rows_does_not_matter(area, box, raw_layer) -> None:
    rng = np.random.default_rng(1)
    shapes = [box(float(x), float(y), 30, 30) for x, y in rng.integers(0, 900, (60, 2))]
    pnu = [PNU.format(int(n)) for n in rng.integers(1, 30, 60)]
    jimok = [str(letter) for letter in rng.choice(list("전답대"), 60)]
    straight = clean_parcels([raw_layer("parcels", shapes, pnu=pnu, jimok=jimok)], area)
    order = rng.permutation(60)
    shuffled = clean_parcels(
        [
            raw_layer(
                "parcels", [shapes[i] for i in order], pnu=[pnu[i] for i in order], jimok=[jimok[i] for i in order]
            )
        ],
        area,
    )
    pd.testing.assert_frame_equal(pd.DataFrame(straight.features), pd.DataFrame(shuffled.features))


def test_several_datasets_are_summed_and_a_lost_record_is_refused(area, box, raw_layer) -> None:
    one = raw_layer("parcels", [box(0, 0, 10, 10)], pnu=[PNU.format(1)], outside=3)
    two = raw_layer("parcels", [box(50, 0, 10, 10)], pnu=[PNU.format(2)], outside=4)
    account = clean_parcels([one, two], area).account
    assert (account.read, account.outside, account.published) == (9, 7, 2)
    short = RawLayer(one.dataset, one.frame, read=10, outside=3)
    with pytest.raises(AccountingError, match="10 records read but 4 accounted for"):
        clean_parcels([short], area)
    empty = clean_parcels([], area)
    assert (empty.account.read, len(empty.features)) == (0, 0)
    assert LAYERS["parcels"].problems(LAYERS["parcels"].finish(empty.features), area.crs) == []


COORDINATE = st.integers(min_value=-40, max_value=140).map(lambda n: n * 10.0)
SHAPE = st.one_of(
    st.none(),
    st.lists(st.tuples(COORDINATE, COORDINATE), min_size=3, max_size=7).map(
        lambda points: shapely.Polygon([(190_000 + x, 540_000 + y) for x, y in points])
    ),
    st.tuples(COORDINATE, COORDINATE).map(lambda p: shapely.Point(190_000 + p[0], 540_000 + p[1])),
    st.just(shapely.box(0, 0, 5, 5)),
)
RECORD = st.tuples(
    SHAPE,
    st.sampled_from([PNU.format(1), PNU.format(2), "4121010500B01000000", "", None]),
    st.sampled_from(["12-3대", "산4", "가1", None]),
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=st.lists(RECORD, max_size=12), outside=st.integers(0, 5))
def test_the_counting_equation_holds_for_any_input(area, records, outside) -> None:
    frame = gpd.GeoDataFrame(
        {
            "pnu": [pnu for _, pnu, _ in records],
            "jibun": [jibun for _, _, jibun in records],
            "dong_code": ["4121010500"] * len(records),
            "source_key": [str(i) for i in range(len(records))],
        },
        geometry=[shape for shape, _, _ in records],
        crs=area.crs,
    )
    dataset = Dataset(product="TEST", role="parcels", parts=())
    layer = clean_parcels([RawLayer(dataset, frame, len(records) + outside, outside)], area)
    layer.account.verify()
    shapes = layer.features.geometry.to_numpy()
    assert shapely.is_valid(shapes).all()
    assert (shapely.area(shapes) > 0).all()
    assert shapely.intersects(area.area, shapes).all()
    gone = layer.quality[layer.quality["reason"].isin(["exact_duplicate", "same_pnu"])]
    assert len(gone) == layer.account.merged
    account = layer.account
    assert account.read == account.outside + len(layer.features) + account.merged + account.reasoned
    # copies of a record that was set aside later are merged into nothing that is published
    assert layer.features["source_rows"].sum() <= len(layer.features) + account.merged


@pytest.mark.realdata
def test_gwarim(shared_data, site_area_of) -> None:
    source = gpd.read_file(shared_data / "gwarim" / "gwarim_parcels.geojson")
    area = site_area_of("4139011200", "4139013400")
    frame = gpd.GeoDataFrame(
        {
            "dong_name": source["법정동"],
            "jibun": source["지번"],
            "source_key": source["법정동"] + " " + source["지번"],
        },
        geometry=source.geometry,
        crs=source.crs,
    ).to_crs(area.crs)
    layer = clean_parcels([RawLayer(Dataset(product="GWARIM", role="parcels", parts=()), frame, len(frame), 0)], area)
    layer.account.verify()
    assert layer.account.read == 1959
    # by hand: the three repeated (dong, lot number) pairs are the only merges
    pairs = source.groupby(["법정동", "지번"]).size()
    assert (pairs > 1).sum() == 3
    assert layer.account.merged + layer.account.outside + layer.account.reasoned + layer.account.published == 1959
    assert layer.features["pnu"].str.fullmatch(r"41390(11200|13400)[12][0-9]{8}").all()
    assert layer.features["pnu"].is_unique
    # an independent construction of the PNU from the file's own columns
    number = source["지번"].str.removeprefix("산").str.partition("-")
    expected = (
        source["법정동"].map({"과림동": "4139011200", "무지내동": "4139013400"})
        + np.where(source["지번"].str.startswith("산"), "2", "1")
        + number[0].str.zfill(4)
        + number[2].replace("", "0").str.zfill(4)
    )
    missing = set(expected) - set(layer.features["pnu"])
    inside = shapely.intersects(area.area, shapely.point_on_surface(frame.geometry.to_numpy()))
    assert missing <= set(expected[~inside])
    assert set(layer.features["pnu"]) <= set(expected)
    assert layer.account.outside == (~inside).sum()
    assert layer.account.reasoned == 0
    assert (layer.quality["reason"] == "pnu_built").sum() == inside.sum()
    assert LAYERS["parcels"].problems(LAYERS["parcels"].finish(layer.features), area.crs) == []
