"""Composes the project file from templates, the catalogue's styles and what lies in the release; needs no QGIS."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from xml.etree import ElementTree as ET

from pydantic import BaseModel, ConfigDict

from geodata.shipped_yaml import shipped_yaml
from twin.publish.about import ReleaseAbout
from twin.publish.qgis_project.layouts import Figure, filled, layout, tree_layer
from twin.publish.qgis_project.map_layers import MapLayer, raster_layer, spatial_reference, vector_layer
from twin.publish.qgis_project.tables import Box, Table
from twin.publish.styles.qmd import DOCTYPE

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The first date a zip file knows: the bytes of a project must not depend on a clock."""


class Theme(BaseModel):
    """What one map shows: layers from top to bottom with their styles."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    ko: str
    en: str
    needs: tuple[str, ...]
    layers: dict[str, str]


class ProjectPlan(BaseModel):
    """How layers stand together, read from ``project.yaml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    draw_order: tuple[str, ...]
    hidden: tuple[str, ...]
    coverage: tuple[str, ...]
    themes: tuple[Theme, ...]
    figures: tuple[Figure, ...]


@cache
def project_plan() -> ProjectPlan:
    """Return what ``project.yaml`` says."""
    text = files(__package__).joinpath("project.yaml").read_text(encoding="utf-8")
    return ProjectPlan.model_validate(shipped_yaml(text))


@dataclass(frozen=True)
class Group:
    """One group of layers in the project.

    ``name`` is the scenario, or what else the file is, in ASCII; ``file`` its GeoPackage relative to the project; ``rasters``
    map a file, relative too, to the raster it holds. ``only`` is a column and a value: of layers that have it, only such rows
    are shown.
    """

    name: str
    ko: str
    en: str
    file: str
    tables: Mapping[str, Table]
    rasters: Mapping[str, str] = field(default_factory=dict)
    visible: bool = False
    only: tuple[str, str] | None = None

    @property
    def title(self) -> str:
        """Name of the group in both languages."""
        return f"{self.ko} / {self.en}"


def write_project(path: Path, groups: Sequence[Group], about: ReleaseAbout, *, sources: str) -> None:
    """Write the QGIS project of ``groups`` as the new file ``path``.

    All paths in it are relative, so that the folder can be moved. The same groups give the same bytes.

    Parameters
    ----------
    sources
        Line about the data for the sheets.

    Raises
    ------
    ValueError
        If no layer has a shape.
    """
    text = DOCTYPE + ET.tostring(project_element(groups, about, sources=sources), encoding="unicode")
    entry = zipfile.ZipInfo(f"{path.stem}.qgs", date_time=_EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    entry.create_system = 3
    with zipfile.ZipFile(path, "x") as archive:
        archive.writestr(entry, text.encode(), compresslevel=9)


def project_element(groups: Sequence[Group], about: ReleaseAbout, *, sources: str) -> ET.Element:
    """Return the element `qgis` of the project file."""
    plan = project_plan()
    box = _whole_box(groups)
    words = {
        "title": f"{about.title_ko} / {about.title_en}",
        "abstract": sources,
        "rights": about.rights,
        **dict(zip(("xmin", "ymin", "xmax", "ymax"), (f"{value:.3f}" for value in box), strict=True)),
    }
    root = filled("project.xml", words)
    _part(root, "projectCrs").append(spatial_reference(about.crs))
    _part(root, "mapcanvas/destinationsrs").append(spatial_reference(about.crs))
    tree = _part(root, "layer-tree-group")
    order: list[str] = []
    for group in groups:
        layers = {
            name: vector_layer(group.file, group.tables[name], about, id_prefix=group.name, only=group.only)
            for name in _drawn(group, plan)
        }
        rasters = [raster_layer(file, raster, about, id_prefix=group.name) for file, raster in group.rasters.items()]
        tree.append(_group_element(group, layers, rasters, plan))
        everything = [*layers.values(), *rasters]
        order += [layer.id for layer in everything]
        _part(root, "projectlayers").extend(layer.element for layer in everything)
        _relations(_part(root, "relations"), group, layers)
        _themes(root, group, layers, about, plan, box=box, sources=sources)
    _part(root, "layerorder").extend(ET.Element("layer", id=identity) for identity in order)
    ET.indent(root, space=" ")
    return root


def _part(root: ET.Element, place: str) -> ET.Element:
    found = root.find(place)
    if found is None:
        raise ValueError(f"the template of the project has no element {place}")
    return found


def _drawn(group: Group, plan: ProjectPlan) -> list[str]:
    """Names of the layers of ``group`` from top to bottom; unknown polygons below the buildings, tables last."""
    known = list(plan.draw_order)
    below = known.index("buildings") + 0.5

    def place(name: str) -> tuple[float, str]:
        layer = group.tables[name].layer
        if layer.geometry is None:
            return len(known) + 1, name
        if name in known:
            return known.index(name), name
        return (-1 if layer.geometry == "Point" else below), name

    return sorted(group.tables, key=place)


def _group_element(
    group: Group, layers: Mapping[str, MapLayer], rasters: Sequence[MapLayer], plan: ProjectPlan
) -> ET.Element:
    root = _tree_group(group.title, visible=group.visible)
    themes = [theme for theme in plan.themes if _can_be_shown(theme, layers)]
    shown = (set(themes[0].layers) if themes else set(layers)) - set(plan.hidden)
    tables = _tree_group("표 / Tables", visible=False)
    for name, layer in layers.items():
        if group.tables[name].layer.geometry is None:
            tables.append(tree_layer(layer, visible=False))
        else:
            root.append(tree_layer(layer, visible=name in shown))
    if rasters:
        below = _tree_group("래스터 / Rasters", visible=False)
        below.extend(tree_layer(layer, visible=False) for layer in rasters)
        root.append(below)
    if len(tables) > 1:
        root.append(tables)
    return root


def _tree_group(title: str, *, visible: bool) -> ET.Element:
    root = ET.Element(
        "layer-tree-group", name=title, expanded="1" if visible else "0", checked="Qt::Checked" if visible else "Qt::Unchecked"
    )  # fmt: skip
    ET.SubElement(root, "customproperties")
    return root


def _relations(root: ET.Element, group: Group, layers: Mapping[str, MapLayer]) -> None:
    """Tell QGIS which layers belong together: a building shows its roofs, a parcel its buildings."""
    for parent in ("parcels", "buildings", "plan_blocks"):
        key = group.tables[parent].layer.key if parent in layers else None
        for child, table in group.tables.items():
            if key is None or child == parent or key not in table.columns or key == table.layer.key:
                continue
            relation = ET.SubElement(
                root, "relation", id=f"{group.name}_{parent}_{child}", strength="Association",
                name=f"{table.layer.ko} → {group.tables[parent].layer.ko}",
                referencingLayer=layers[child].id, referencedLayer=layers[parent].id,
            )  # fmt: skip
            ET.SubElement(relation, "fieldRef", referencingField=key, referencedField=key)


def _themes(
    root: ET.Element, group: Group, layers: Mapping[str, MapLayer], about: ReleaseAbout, plan: ProjectPlan, *, box: Box, sources: str
) -> None:  # fmt: skip
    for theme in plan.themes:
        if not _can_be_shown(theme, layers):
            continue
        shown = [
            (layers[name], layers[name].styles[style])
            for name, style in theme.layers.items()
            if name in layers and style in layers[name].styles
        ]
        title = f"{theme.ko} / {theme.en}"
        preset = ET.SubElement(_part(root, "visibility-presets"), "visibility-preset", name=f"{group.title} · {title}")
        for layer, style in shown:
            ET.SubElement(preset, "layer", id=layer.id, style=style, visible="1", expanded="0")
        coverage = next((name for name in plan.coverage if name in layers), None)
        if coverage is None:
            continue
        identity = f"{group.name}_{theme.name}"
        _part(root, "Layouts").append(
            layout(
                identity, group.title, title, shown=shown, districts=(layers[coverage], group.tables[coverage]),
                figures=list(plan.figures), about=about, box=box, sources=sources,
            )
        )  # fmt: skip


def _can_be_shown(theme: Theme, layers: Mapping[str, MapLayer]) -> bool:
    """Say whether a layer that the theme is about is there with the column that colours it."""
    return any(need in layers and theme.layers[need] in layers[need].styles for need in theme.needs)


def _whole_box(groups: Sequence[Group]) -> Box:
    boxes = [table.box for group in groups for table in group.tables.values() if table.box is not None]
    if not boxes:
        raise ValueError("no layer of the project has a shape")
    west, south, east, north = zip(*boxes, strict=True)
    return min(west), min(south), max(east), max(north)
