from __future__ import annotations

import pytest

from geodata.catalogue import LAYERS
from geodata.clean.parks import clean_parks


def reasons(layer) -> dict[str, int]:
    return layer.quality["reason"].value_counts().to_dict()


def test_parks_and_greens(area, box, raw_layer) -> None:
    codes = ["UQT220", "UQT310", "UQT100", "UQT500", "UQT299", "UQA111", None, "uqt205", "UQT220"]
    shapes = [box(40 * i, 0, 20, 20) for i in range(8)] + [box(0, 0, 20, 20)]
    layer = clean_parks(
        [
            raw_layer(
                "parks",
                shapes,
                class_code=codes,
                name=["중앙공원", None, "광장", "공지", "새공원", "?", "?", "소공원", "중앙공원"],
                executed=["EMA0001", "EMA0002", "EMA0001", None, "EMA0003", None, None, "XYZ", "EMA0001"],
                source_id=["41210UQ1", "41210UQ2", "c", "d", "e", "f", "g", None, "41210UQ1"],
            )
        ],
        area,
    )
    account = layer.account
    assert (account.read, account.published, account.merged, account.reasoned) == (9, 4, 1, 4)
    assert reasons(layer) == {"exact_duplicate": 1, "code_unknown": 2, "not_a_park": 2}
    by_code = layer.features.set_index("class_code")
    assert by_code["status"].to_dict() == {
        "UQT220": "built",
        "UQT310": "planned",
        "UQT299": "unknown",
        "UQT205": "unknown",
    }
    assert by_code["class_ko"].to_dict() == {
        "UQT220": "근린공원",
        "UQT310": "완충녹지",
        "UQT299": "공원",
        "UQT205": "소공원",
    }
    assert by_code.loc["UQT220", "park_id"] == "41210UQ1"
    assert by_code.loc["UQT205", "park_id"].startswith("p")
    assert by_code["dong_code"].unique().tolist() == ["4121010500"]
    assert by_code["area_m2"].tolist() == pytest.approx([400.0] * 4)
    assert LAYERS["parks"].problems(LAYERS["parks"].finish(layer.features), area.crs) == []


def test_class_columns_that_are_shifted_to_the_left(area, box, raw_layer) -> None:
    layer = clean_parks(
        [
            raw_layer(
                "parks",
                [box(40 * i, 0, 20, 20) for i in range(3)],
                lclas=["UQT200", "UQT200", "UQT230"],
                mlsfc=["UQT210", "", None],
                sclas=[None, "", None],
            )
        ],
        area,
    )
    assert sorted(layer.features["class_code"]) == ["UQT200", "UQT210", "UQT230"]


def test_names_that_were_written_with_the_wrong_encoding(area, box, raw_layer) -> None:
    wrong = "근린공원".encode().decode("cp949")
    layer = clean_parks(
        [
            raw_layer(
                "parks",
                [box(20 * i, 0, 9, 9) for i in range(5)],
                class_code=["UQT220"] * 5,
                # the fourth as a program wrote it that had no sign for the lost bytes of 수변공원
                name=[wrong, "가�공원", "옥길공원", "?닔蹂?怨듭썝", "무엇을 심을까?"],
            )
        ],
        area,
    )
    assert sorted(layer.features["name"].fillna("-")) == ["-", "-", "근린공원", "무엇을 심을까?", "옥길공원"]
    assert reasons(layer) == {"text_damaged": 3}


def test_pieces_that_share_a_number(area, box, raw_layer) -> None:
    layer = clean_parks(
        [raw_layer("parks", [box(0, 0, 9, 9), box(20, 0, 9, 9)], class_code=["UQT220"] * 2, source_id=["A", "A"])], area
    )
    assert layer.features["park_id"].is_unique
    assert layer.features["park_id"].str.startswith("A-").all()
    assert reasons(layer) == {"id_duplicate": 2}
