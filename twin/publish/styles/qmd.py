"""Layer metadata in the form that QGIS shows under "Information" (QMD)."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from geodata.catalogue import Layer
from twin.publish.about import DEMO, ReleaseAbout

DOCTYPE = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
QGIS_VERSION = "3.22.16"
"""The oldest QGIS that must read what is written here."""


def layer_metadata(layer: Layer, columns: tuple[str, ...], about: ReleaseAbout) -> str:
    """Return the QMD text of ``layer`` with its published ``columns``."""
    return DOCTYPE + ET.tostring(metadata_element(layer, columns, about), encoding="unicode")


def metadata_element(layer: Layer, columns: tuple[str, ...], about: ReleaseAbout, tag: str = "qgis") -> ET.Element:
    """Return the metadata of ``layer`` as the element ``tag``: `qgis` of a QMD file, or `resourceMetadata` of a project."""
    root = ET.Element(tag, {"version": QGIS_VERSION} if tag == "qgis" else {})

    def add(tag: str, text: str = "") -> ET.Element:
        element = ET.SubElement(root, tag)
        element.text = text
        return element

    add("identifier", layer.name)
    add("parentidentifier", about.title_en)
    add("language", "KOR")
    add("type", "dataset")
    add("title", f"{about.layer_title(layer)} – {about.title_ko} / {about.title_en}")
    add("abstract", about.layer_text(layer, columns))
    keywords = ET.SubElement(root, "keywords", vocabulary="gmd:topicCategory")
    for text in ([DEMO["ko"], DEMO["en"]] if about.demo else []) + [layer.ko, layer.en]:
        ET.SubElement(keywords, "keyword").text = text
    add("links")
    add("history", about.lineage)
    dates = ET.SubElement(root, "dates")
    ET.SubElement(dates, "date", type="Revised", value=about.instant)
    add("fees")
    add("rights", about.rights)
    add("encoding", "UTF-8")
    instant = ET.SubElement(ET.SubElement(ET.SubElement(root, "extent"), "temporal"), "instant")
    instant.text = about.instant
    return root
