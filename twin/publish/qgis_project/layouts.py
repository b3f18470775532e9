"""A3 sheets of the QGIS project: one for each scenario and map theme, with an atlas page for each legal dong."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from importlib.resources import files
from string import Template
from xml.etree import ElementTree as ET

from pydantic import BaseModel, ConfigDict

from twin.publish.about import DEMO, ReleaseAbout
from twin.publish.qgis_project.map_layers import MapLayer
from twin.publish.qgis_project.tables import Box, Table


class Figure(BaseModel):
    """A number beside the map: a column of the layer of the atlas times ``factor``, behind that of ``before`` if there is one."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    column: str
    before: str | None = None
    ko: str
    en: str
    unit: str
    factor: float
    decimals: int


@cache
def template(name: str) -> ET.Element:
    """Return one of the XML templates beside this module; what is in it is copied, never changed."""
    return ET.fromstring(files(__package__).joinpath(name).read_text(encoding="utf-8"))  # noqa: S314


def filled(name: str, words: dict[str, str]) -> ET.Element:
    """Return a copy of the template ``name`` with every ``$word`` of its texts and attributes filled in.

    Raises
    ------
    KeyError
        If the template has a word that ``words`` lack.
    """
    root = deepcopy(template(name))
    for element in root.iter():
        for key, value in element.attrib.items():
            if "$" in value:
                element.set(key, Template(value).substitute(words))
        if element.text and "$" in element.text:
            element.text = Template(element.text).substitute(words)
    return root


def layout(
    identity: str,
    scenario_title: str,
    theme_title: str,
    *,
    shown: list[tuple[MapLayer, str]],
    districts: tuple[MapLayer, Table],
    figures: list[Figure],
    about: ReleaseAbout,
    box: Box,
    sources: str,
) -> ET.Element:
    """Return one `Layout`.

    Parameters
    ----------
    identity
        Name of the scenario and the theme in ASCII, from which all ids and file names follow.
    shown
        Layers of the theme from top to bottom, with the name of the style in which each is drawn.
    districts
        Layer over whose legal dongs the atlas runs.
    box
        What the map shows when it is not on a page of the atlas, (minx, miny, maxx, maxy) [m].
    sources
        Line about the data below the map.
    """
    name = f"A3 · {scenario_title} · {theme_title}"
    wide = _fitted(box, 296 / 244)
    words = {
        "name": name,
        "id": identity.replace("_", "-"),
        "theme": f"{scenario_title} · {theme_title}",
        "theme_file": identity,
        "title": f"{about.title_ko} · {theme_title.partition(' / ')[0]}",
        "subtitle": f"{about.title_en} · {theme_title.partition(' / ')[2]} · {scenario_title}",
        "mark": f"{DEMO['ko']} / {DEMO['en']}",
        "marked": "1" if about.demo else "0",
        "place": "[% coalesce(@atlas_pagename, '전체 / whole area') %]",
        "figures": _figures(districts, figures),
        "segment": f"{_segment(box):g}",
        "crs": about.crs,
        "coverage": districts[0].id,
        "sources": sources,
        **dict(zip(("xmin", "ymin", "xmax", "ymax"), (f"{value:.3f}" for value in wide), strict=True)),
    }
    root = filled("layout.xml", words)
    tree = root.find(".//LayoutItem[@type='65642']/layer-tree-group")
    assert tree is not None  # noqa: S101 - the template is ours
    for layer, style in shown:
        tree.append(tree_layer(layer, style=style, titled=True))
    return root


def tree_layer(layer: MapLayer, *, style: str = "", visible: bool = True, titled: bool = False) -> ET.Element:
    """Return the entry of ``layer`` in a layer tree; ``titled`` names the style too, as a legend needs it."""
    root = ET.Element(
        "layer-tree-layer", id=layer.id, name=layer.name, source=layer.source, providerKey=layer.provider, expanded="0",
        checked="Qt::Checked" if visible else "Qt::Unchecked", legend_exp="", patch_size="-1,-1", legend_split_behavior="0",
    )  # fmt: skip
    properties = ET.SubElement(root, "customproperties")
    if titled:
        options = ET.SubElement(properties, "Option", type="Map")
        words = f"{layer.name.partition(' / ')[0]}: {style}" if style else layer.name
        ET.SubElement(options, "Option", type="QString", name="legend/title-label", value=words)
    return root


def _figures(districts: tuple[MapLayer, Table], figures: list[Figure]) -> str:
    """Return the text of the figures: expressions, because each page of the atlas has its own."""
    layer, table = districts
    lines = []
    for figure in figures:
        columns = [column for column in (figure.before, figure.column) if column is not None]
        if not set(columns) <= set(table.columns):
            continue
        told = " → ".join(f"[% {_number(layer, column, figure)} %]" for column in columns)
        lines.append(f"{figure.ko} {figure.en}: {told} {figure.unit}".rstrip())
    return "\n".join(lines)


def _number(layer: MapLayer, column: str, figure: Figure) -> str:
    """Return the expression of one number: of the dong on the page, else of the whole."""
    whole = f"get_feature('{layer.id}', 'kind', 'district')"
    value = f"if(@atlas_pagename is null, attribute({whole}, '{column}'), attribute(@atlas_feature, '{column}'))"
    total = f"aggregate('{layer.id}', 'sum', \"{column}\", \"kind\" = 'legal_dong')"
    # without a boundary of the project the whole is the sum of its dongs; a share has no such sum
    value = value if figure.unit == "%" else f"coalesce({value}, {total})"
    return f"coalesce(format_number({value} * {figure.factor:f}, {figure.decimals}), '–')"


def _fitted(box: Box, shape: float) -> Box:
    """Return ``box`` grown by a margin to the width over height ``shape``."""
    width, height = 1.06 * (box[2] - box[0]), 1.06 * (box[3] - box[1])
    width, height = max(width, height * shape), max(height, width / shape)
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _segment(box: Box) -> float:
    """Return a round length [m] of about a tenth of the map, for the scale bar."""
    tenth = max(box[2] - box[0], box[3] - box[1]) / 10
    power = 10 ** len(str(int(tenth))) / 10
    return float(max(step * power for step in (1, 2, 5) if step * power <= max(tenth, 1)))
