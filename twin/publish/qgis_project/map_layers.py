"""Layers of the QGIS project: where their data lie, how they look and what they say about themselves."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree as ET

import pyproj

from twin.publish.about import DEMO, ReleaseAbout
from twin.publish.qgis_project.tables import Box, Table
from twin.publish.rasters import raster_element, raster_styles
from twin.publish.styles import style_element, style_title, styles_for
from twin.publish.styles.qmd import metadata_element

_GEOMETRY = {"MultiPolygon": "Polygon", "Point": "Point", None: "No geometry"}


@dataclass(frozen=True)
class MapLayer:
    """One layer of the project.

    ``element`` is its `maplayer`; ``styles`` maps the name of a style in ``styles.yaml`` to its name in QGIS.
    """

    id: str
    name: str
    title: str
    source: str
    provider: str
    element: ET.Element
    styles: dict[str, str]
    box: Box | None


def vector_layer(
    file: str, table: Table, about: ReleaseAbout, *, id_prefix: str, only: tuple[str, str] | None = None
) -> MapLayer:
    """Return the project's layer for one ``table`` of the GeoPackage ``file``, a path relative to the project.

    ``only`` is a column and a value: where the table has that column, only rows with the value are shown.
    """
    layer, columns = table.layer, table.columns
    identity = f"{id_prefix}_{layer.name}"
    source = f"./{file}|layername={layer.name}"
    if only is not None and only[0] in columns:
        source += f"|subset=\"{only[0]}\" = '{only[1]}'"
    name = f"{layer.ko} / {layer.en}"
    styles = styles_for(layer, columns)
    titles = [style_title(layer, style, about) for style in styles]
    looks = [style_element(layer, columns, style, about) for style in styles]
    root = _frame(identity, source, name, about, table.box, kind="vector")
    root.attrib |= {
        "geometry": _GEOMETRY[layer.geometry],
        "wkbType": layer.geometry or "NoGeometry",
        # a published file is not edited: QGIS would leave its write-ahead log beside it
        "readOnly": "1",
        "labelsEnabled": looks[0].get("labelsEnabled", "0"),
        "simplifyDrawingHints": "1",
        "simplifyMaxScale": "1",
        "simplifyLocal": "1",
    }
    root.append(metadata_element(layer, columns, about, "resourceMetadata"))
    ET.SubElement(root, "provider", encoding="UTF-8").text = "ogr"
    manager = ET.SubElement(root, "map-layer-style-manager", current=titles[0])
    for position, (title, look) in enumerate(zip(titles, looks, strict=True)):
        held = ET.SubElement(manager, "map-layer-style", name=title)
        if position:
            held.append(look)
    root.extend(child for child in looks[0] if child.tag != "layerGeometryType")
    by_name = {style.name: title for style, title in zip(styles, titles, strict=True)}
    return MapLayer(identity, name, name, source, "ogr", root, by_name, table.box)


def raster_layer(file: str, raster: str, about: ReleaseAbout, *, id_prefix: str) -> MapLayer:
    """Return the project's layer for the GeoTIFF ``file``, in the colours of ``raster``."""
    style = raster_styles()[raster]
    identity, source, name = f"{id_prefix}_raster_{raster}", f"./{file}", f"{style.ko} / {style.en}"
    root = _frame(identity, source, name, about, None, kind="raster")
    metadata = ET.SubElement(root, "resourceMetadata")
    mark = f" ({DEMO['ko']} / {DEMO['en']})" if about.demo else ""
    for tag, text in (
        ("identifier", raster), ("language", "KOR"), ("type", "dataset"), ("title", name + mark),
        ("abstract", f"{style.about_ko} / {style.about_en}"), ("history", about.lineage), ("rights", about.rights),
    ):  # fmt: skip
        ET.SubElement(metadata, tag).text = text
    ET.SubElement(root, "provider").text = "gdal"
    root.extend(raster_element(style))
    return MapLayer(identity, name, f"{name} [{style.unit}]", source, "gdal", root, {}, None)


def spatial_reference(crs: str) -> ET.Element:
    """Return the element `spatialrefsys` by which QGIS finds ``crs``, an EPSG code."""
    known = pyproj.CRS.from_user_input(crs)
    root = ET.Element("spatialrefsys")
    ET.SubElement(root, "wkt").text = known.to_wkt()
    ET.SubElement(root, "srid").text = str(known.to_epsg())
    ET.SubElement(root, "authid").text = crs
    ET.SubElement(root, "description").text = known.name
    ET.SubElement(root, "geographicflag").text = "false"
    return root


def _frame(identity: str, source: str, name: str, about: ReleaseAbout, box: Box | None, *, kind: str) -> ET.Element:
    root = ET.Element("maplayer", type=kind, styleCategories="AllStyleCategories", hasScaleBasedVisibilityFlag="0")
    if box is not None:
        extent = ET.SubElement(root, "extent")
        for tag, value in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True):
            ET.SubElement(extent, tag).text = f"{value:.3f}"
    for tag, text in (("id", identity), ("datasource", source), ("layername", name)):
        ET.SubElement(root, tag).text = text
    ET.SubElement(root, "srs").append(spatial_reference(about.crs))
    return root
