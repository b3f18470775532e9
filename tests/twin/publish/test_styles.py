"""Styles: complete, readable by people who see colours differently, and telling the truth about breaks."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from geodata.catalogue import COMPARISON_LAYERS, LAYERS, PUBLISHED
from twin.publish.about import ReleaseAbout
from twin.publish.styles import classify, layer_metadata, layer_styles, legend, load_styles, styles_for

# G. M. Machado, M. M. Oliveira, L. A. F. Fernandes (2009), A physiologically-based model for simulation of color vision
# deficiency, IEEE TVCG 15(6): matrices for severity 1.0, on linear RGB
SIGHT = {
    "usual": np.eye(3),
    "protanopia": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    "deuteranopia": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
    "tritanopia": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]),
}  # fmt: skip


def lab(colour: str, sight: str) -> np.ndarray:
    """CIELAB (D65) of an sRGB colour as seen with ``sight``."""
    srgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(SIGHT[sight] @ linear, 0, 1)
    xyz = (
        np.array(
            [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
        )
        @ linear
    )
    t = xyz / np.array([0.95047, 1.0, 1.08883])
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def dict_of(layer, about: ReleaseAbout) -> dict[str, str]:
    """QML of every style by its Korean name."""
    shaded = replace(about, unshaded=False)
    return {name: text for name, _, text in layer_styles(layer, layer.names, shaded)}


STYLES = [(name, style) for name, styles in load_styles().items() for style in styles]


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize(("name", "style"), [pair for pair in STYLES if pair[1].kind in ("graduated", "categorised", "keyword")],
                         ids=lambda value: value if isinstance(value, str) else value.name)  # fmt: skip
def test_classes_can_be_told_apart(name: str, style, sight: str) -> None:
    classes = [c for c in legend(PUBLISHED[name], style) if not c.hatched]  # stripes are told apart by their stripes
    for one, other in combinations(classes, 2):
        difference = float(np.linalg.norm(lab(one.colour, sight) - lab(other.colour, sight)))
        assert difference > 8, (one.en, other.en, difference)


@pytest.mark.parametrize("sight", SIGHT)
def test_more_is_darker(sight: str) -> None:
    for name, style in STYLES:
        if style.kind == "graduated" and style.breaks[0] >= 0:  # those of a change part from the middle
            lightness = [lab(c.colour, sight)[0] for c in legend(PUBLISHED[name], style) if c.low is not None]
            assert all(np.diff(lightness) < -2), (name, style.name)


@pytest.mark.parametrize("sight", SIGHT)
def test_more_change_is_darker_on_both_sides(sight: str) -> None:
    diverging = [(name, style) for name, style in STYLES if style.kind == "graduated" and style.breaks[0] < 0]
    assert {name for name, _ in diverging} == set(COMPARISON_LAYERS) - {"run_info"}
    for name, style in diverging:
        classes = [c for c in legend(PUBLISHED[name], style) if c.low is not None]
        lightness = [lab(c.colour, sight)[0] for c in classes]
        middle = next(i for i, c in enumerate(classes) if c.low < 0 < c.high)
        assert all(np.diff(lightness[: middle + 1]) > 2), (name, style.name)
        assert all(np.diff(lightness[middle:]) < -2), (name, style.name)


def test_every_layer_and_every_choice_has_a_style() -> None:
    for name, layer in PUBLISHED.items():
        for columns in (layer.names, tuple(f.name for f in layer.fields if f.required)):
            style = styles_for(layer, columns)[0]
            assert style.column is None or style.column in columns
            if style.kind == "categorised" and layer[style.column].choices:
                assert {c.value for c in legend(layer, style)} == set(layer[style.column].choices)
        assert name in load_styles()


def test_values_on_a_break_belong_to_the_lower_class_as_in_qgis() -> None:
    layer = LAYERS["buildings"]
    style = styles_for(layer, layer.names)[0]
    classes = legend(layer, style)
    found = classify(pd.Series([0.0, 6.0, 6.01, 12.0, 75.0, 75.1, 701.0, np.nan]), style, classes)
    assert found.tolist() == [0, 0, 1, 1, 4, 5, -1, -1]
    assert [c.ko for c in classes] == ["6 m 이하", "6 – 12 m", "12 – 24 m", "24 – 45 m", "45 – 75 m", "75 m 초과"]


def test_scores_are_told_as_whole_numbers() -> None:
    style = next(style for name, style in STYLES if (name, style.name) == ("buildings", "three_thirty"))
    classes = legend(PUBLISHED["buildings"], style)
    assert [entry.en for entry in classes] == ["0", "1", "2", "3", "no data"]
    found = classify(pd.Series([0, 1, 2, 3, None], dtype="Int64"), style, classes)
    assert [classes[n].en for n in found] == ["0", "1", "2", "3", "no data"]


def test_missing_values_have_a_class_of_their_own() -> None:
    layer = LAYERS["parcels"]
    style = styles_for(layer, layer.names)[0]
    classes = legend(layer, style)
    found = classify(pd.Series([0.0, 100.0, np.nan]), style, classes)
    assert [classes[i].ko for i in found] == ["10 % 이하", "60 – 100 %", "자료 없음"]


def test_styles_hold_aliases_choices_and_labels_by_scale(about: ReleaseAbout) -> None:
    layer = LAYERS["buildings"]
    name, description, text = layer_styles(layer, layer.names, about)[0]
    assert (name, description) == ("높이", "건물: 높이 / Buildings: Height")
    root = ET.fromstring(text)  # noqa: S314
    aliases = {a.get("field"): a.get("name") for a in root.iter("alias")}
    assert set(aliases) == {"fid", *layer.names}
    assert aliases["yield_kwh"] == "연간 발전량 (kWh, 음영 미반영)"
    assert aliases["height"] == "높이 (m)"
    widgets = {f.get("name"): f.find("editWidget").get("type") for f in root.find("fieldConfiguration")}
    assert (widgets["height_source"], widgets["approved_on"], widgets["height"]) == ("ValueMap", "DateTime", "TextEdit")
    assert root.find("labeling/settings/rendering").get("scaleMax") == "4000"
    assert "가상 데이터" in root.findtext("mapTip")
    shaded = layer_styles(layer, layer.names, replace(about, unshaded=False, demo=False))[0][2]
    assert "음영 미반영" not in shaded
    assert "가상 데이터" not in shaded


def test_what_has_no_value_falls_into_no_other_class(about: ReleaseAbout) -> None:
    for name, style in STYLES:
        layer = PUBLISHED[name]
        if style.kind != "graduated" or not layer[style.column].nullable:
            continue
        root = ET.fromstring(dict_of(layer, about)[style.ko])  # noqa: S314
        *told, missing = [(float(r.get("lower")), float(r.get("upper"))) for r in root.iter("range")]
        value = float(root.find("renderer-v2").get("attr").rpartition(",")[2].rstrip(")"))
        assert missing[0] <= value <= missing[1] < min(low for low, _ in told), (name, style.name)


@pytest.mark.parametrize("name", ["districts", "comparison_districts"])
def test_the_row_of_the_whole_lies_on_its_dongs_as_an_outline(name: str, about: ReleaseAbout) -> None:
    for text in dict_of(PUBLISHED[name], about).values():
        root = ET.fromstring(text)  # noqa: S314
        assert root.find("renderer-v2").get("enableorderby") == "1"
        assert root.findtext("renderer-v2/orderby/orderByClause") == "\"kind\" = 'district'"
        for filled in root.iter("layer"):
            fill = filled.find("Option/Option[@name='style']").get("value")
            told = filled.find(".//Option[@name='fillStyle']/Option[@name='expression']").get("value")
            assert told == f"if(\"kind\" = 'district', 'no', '{fill}')"
        label = root.find("labeling/settings/text-style")
        assert label.get("fieldName") == 'if("kind" = \'district\', NULL, "name_ko")'
        assert label.get("isExpression") == "1"


def test_style_names_fit_their_column_and_differ(about: ReleaseAbout) -> None:
    for layer in PUBLISHED.values():
        names = [name for name, _, _ in layer_styles(layer, layer.names, about)]
        assert all(0 < len(name) <= 30 for name in names)
        assert len(set(names)) == len(names)


def test_markup_in_titles_cannot_break_a_style_or_its_metadata(about: ReleaseAbout) -> None:
    rude = replace(about, title_ko='<가 & "나">', rights="a < b & c", lineage="]]>")
    for layer in PUBLISHED.values():
        for _, _, text in layer_styles(layer, layer.names, rude):
            ET.fromstring(text)  # noqa: S314
        root = ET.fromstring(layer_metadata(layer, layer.names, rude))  # noqa: S314
        assert root.findtext("rights") == "a < b & c"
