"""How layers look: declared in ``styles.yaml``, turned into QGIS styles here and into colours of our own maps."""

from __future__ import annotations

from twin.publish.styles.qmd import layer_metadata
from twin.publish.styles.qml import layer_styles, style_element, style_title
from twin.publish.styles.style import LegendClass, Style, classify, legend, load_styles, styles_for

__all__ = [
    "LegendClass", "Style", "classify", "layer_metadata", "layer_styles", "legend", "load_styles", "style_element", "style_title", "styles_for",
]  # fmt: skip
