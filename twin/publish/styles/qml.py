"""QGIS styles (QML) made from ``styles.yaml`` and the catalogue; they load in QGIS 3.22 and newer.

A style holds the symbols, labels that depend on scale, Korean aliases of all columns and lists of choices.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from geodata.catalogue import Field, Layer
from geodata.catalogue.model import UNSHADED
from twin.publish.about import DEMO, ReleaseAbout
from twin.publish.styles.qmd import DOCTYPE, QGIS_VERSION
from twin.publish.styles.style import OTHER, OTHER_COLOUR, Label, LegendClass, Style, Whole, legend, styles_for

_GEOMETRY_TYPE = {"Point": "0", "MultiPolygon": "2", None: "4"}
_NOTHING = "#00000000"
_THINNED_BELOW_MM = 0.2
_FULL_WIDTH_SCALE = 5000
"""Thin outlines have their full width from 1:5,000 on inwards."""
_EXPRESSION = "3"
"""How QGIS numbers a property that follows an expression."""


def layer_styles(layer: Layer, columns: tuple[str, ...], about: ReleaseAbout) -> list[tuple[str, str, str]]:
    """Return ``(name, description, QML)`` of every style of ``layer`` for its published ``columns``, the default first.

    Names have 30 characters at most, as the table `layer_styles` asks for.
    """
    found = []
    for style in styles_for(layer, columns):
        name = style_title(layer, style, about)
        mark = f" ({UNSHADED['ko']})" if _says_unshaded(layer, style, about) else ""
        description = f"{layer.ko}: {style.ko}{mark} / {layer.en}: {style.en}"
        text = DOCTYPE + ET.tostring(style_element(layer, columns, style, about), encoding="unicode")
        found.append((name, description, text))
    return found


def style_title(layer: Layer, style: Style, about: ReleaseAbout) -> str:
    """Return the Korean name under which QGIS lists ``style``, 30 characters at most."""
    mark = f" ({UNSHADED['ko']})" if _says_unshaded(layer, style, about) else ""
    return f"{style.ko}{mark}"[:30]


def _says_unshaded(layer: Layer, style: Style, about: ReleaseAbout) -> bool:
    return about.unshaded and style.column is not None and layer[style.column].sunlit


def style_element(layer: Layer, columns: tuple[str, ...], style: Style, about: ReleaseAbout) -> ET.Element:
    """Return ``style`` of ``layer`` with its published ``columns`` as the element `qgis` of a QML file."""
    fields = [layer[name] for name in layer.names if name in columns]
    root = ET.Element(
        "qgis",
        version=QGIS_VERSION,
        styleCategories="Symbology|Labeling|Fields|Forms|MapTips|AttributeTable",
        labelsEnabled="1" if style.label else "0",
        hasScaleBasedVisibilityFlag="0",
        readOnly="0",
    )
    if layer.geometry is not None:
        root.append(_renderer(layer, style))
        if style.label is not None:
            root.append(_labeling(style.label, style.whole, point=layer.geometry == "Point"))
        ET.SubElement(root, "blendMode").text = "0"
        ET.SubElement(root, "featureBlendMode").text = "0"
        ET.SubElement(root, "layerOpacity").text = "1"
    _append_fields(root, fields, about)
    naming = [layer.key] if layer.key else [fields[0].name]
    title = next(
        (name for name in ("name_ko", "name", "jibun", "block_id") if any(f.name == name for f in fields)), None
    )
    preview = f'coalesce("{title}", "{naming[0]}")' if title else f'"{naming[0]}"'
    ET.SubElement(root, "previewExpression").text = preview
    ET.SubElement(root, "mapTip").text = _map_tip(layer, style, fields, preview, about)
    ET.SubElement(root, "layerGeometryType").text = _GEOMETRY_TYPE[layer.geometry]
    return root


def _renderer(layer: Layer, style: Style) -> ET.Element:
    root = _classes(layer, style)
    if style.whole is not None:
        root.set("enableorderby", "1")
        clause = ET.SubElement(ET.SubElement(root, "orderby"), "orderByClause", asc="1", nullsFirst="1")
        clause.text = _is_whole(style.whole)
    return root


def _is_whole(whole: Whole) -> str:
    """Return the QGIS expression that is true for rows of the whole."""
    return f"\"{whole.column}\" = '{whole.value}'"


def _classes(layer: Layer, style: Style) -> ET.Element:
    classes = legend(layer, style)
    common = {"symbollevels": "0", "forceraster": "0", "enableorderby": "0"}
    if style.kind == "graduated" and style.column is not None:
        return _graduated(layer, style, classes, common)
    if classes and style.column is not None:
        attribute = style.column if style.kind == "categorised" else _keyword_expression(style)
        root = ET.Element("renderer-v2", {"type": "categorizedSymbol", "attr": attribute, **common})
        categories, symbols = ET.SubElement(root, "categories"), ET.SubElement(root, "symbols")
        if style.kind == "categorised":
            # the category without value is what QGIS uses for everything else
            classes = [*classes, LegendClass(OTHER.ko, OTHER.en, OTHER_COLOUR, value="")]
        for position, entry in enumerate(classes):
            ET.SubElement(
                categories,
                "category",
                value=entry.value or "",
                symbol=str(position),
                label=f"{entry.ko} / {entry.en}",
                render="true",
                type="string",
            )
            symbols.append(_symbol(layer, style, str(position), entry.colour, hatched=entry.hatched))
        return root
    root = ET.Element("renderer-v2", {"type": "singleSymbol", **common})
    ET.SubElement(root, "symbols").append(_symbol(layer, style, "0", style.fill))
    return root


def _graduated(layer: Layer, style: Style, classes: list[LegendClass], common: dict[str, str]) -> ET.Element:
    nullable = layer[style.column or ""].nullable
    # a graduated renderer leaves features without value out; they are given a class of their own below all others
    missing = style.breaks[0] - 1
    attribute = f'coalesce("{style.column}", {missing:.15g})' if nullable else str(style.column)
    root = ET.Element(
        "renderer-v2", {"type": "graduatedSymbol", "attr": attribute, "graduatedMethod": "GraduatedColor", **common}
    )
    ranges, symbols = ET.SubElement(root, "ranges"), ET.SubElement(root, "symbols")
    for position, entry in enumerate(classes):
        low, high = (missing, missing + 0.5) if entry.low is None or entry.high is None else (entry.low, entry.high)
        label = entry.ko if entry.ko == entry.en else f"{entry.ko} / {entry.en}"
        ET.SubElement(
            ranges, "range", lower=f"{low:.15f}", upper=f"{high:.15f}", symbol=str(position), label=label, render="true"
        )
        symbols.append(_symbol(layer, style, str(position), entry.colour))
    ET.SubElement(root, "classificationMethod", id="Fixed")
    return root


def _keyword_expression(style: Style) -> str:
    cases = " ".join(
        f"WHEN {' OR '.join(_contains(style.column or '', word) for word in entry.words)} THEN '{entry.ko}'"
        for entry in style.classes
    )
    return f"CASE {cases} ELSE '{OTHER.ko}' END"


def _contains(column: str, word: str) -> str:
    """Return the QGIS expression that is true where ``column`` contains ``word``."""
    return f"\"{column}\" LIKE '%{word}%'"


def _symbol(layer: Layer, style: Style, name: str, colour: str | None, *, hatched: bool = False) -> ET.Element:
    point = layer.geometry == "Point"
    symbol = ET.Element(
        "symbol", name=name, type="marker" if point else "fill", alpha="1", clip_to_extent="1", force_rhr="0"
    )
    outline = {
        "outline_color": _rgba(style.outline),
        "outline_style": "no" if style.outline is None else "dash" if style.dashed else "solid",
        "outline_width": f"{style.outline_mm:g}",
        "outline_width_unit": "MM",
        "joinstyle": "miter",
    }
    if point:
        _symbol_layer(
            symbol,
            "SimpleMarker",
            {"color": _rgba(colour), "name": "circle", "size": f"{style.marker_mm:g}", "size_unit": "MM", **outline},
        )
        return symbol
    fill = "no" if colour is None else "solid"
    filled = _symbol_layer(symbol, "SimpleFill", {"color": _rgba(colour), "style": fill, **outline})
    if style.outline is not None and style.outline_mm < _THINNED_BELOW_MM:
        # outlines fade when the map shows a whole district, which would drown in them
        faded = f"{style.outline_mm:g} * min(1, max(0.15, {_FULL_WIDTH_SCALE} / @map_scale))"
        _follow(filled, {"outlineWidth": faded})
    if style.whole is not None:
        is_whole = _is_whole(style.whole)
        width = f"if({is_whole}, {style.whole_outline_mm:g}, {style.outline_mm:g})"
        _follow(filled, {"fillStyle": f"if({is_whole}, 'no', '{fill}')", "outlineWidth": width})
    if hatched:
        stripes = _symbol_layer(
            symbol, "LinePatternFill", {"angle": "45", "distance": "1.6", "distance_unit": "MM", "line_width": "0.25"}
        )
        line = ET.SubElement(
            stripes, "symbol", name=f"@{name}@1", type="line", alpha="1", clip_to_extent="1", force_rhr="0"
        )
        _symbol_layer(
            line,
            "SimpleLine",
            {"line_color": _rgba(style.outline or "#4d7f5f"), "line_width": "0.25", "line_width_unit": "MM"},
        )
    return symbol


def _follow(symbol_layer: ET.Element, expressions: dict[str, str]) -> None:
    """Let properties of a symbol, under the names that QGIS has for them, follow expressions."""
    whole = ET.SubElement(ET.SubElement(symbol_layer, "data_defined_properties"), "Option", type="Map")
    ET.SubElement(whole, "Option", type="QString", name="name", value="")
    held = ET.SubElement(whole, "Option", type="Map", name="properties")
    for name, expression in expressions.items():
        told = ET.SubElement(held, "Option", type="Map", name=name)
        ET.SubElement(told, "Option", type="bool", name="active", value="true")
        ET.SubElement(told, "Option", type="QString", name="expression", value=expression)
        ET.SubElement(told, "Option", type="int", name="type", value=_EXPRESSION)
    ET.SubElement(whole, "Option", type="QString", name="type", value="collection")


def _symbol_layer(symbol: ET.Element, kind: str, properties: dict[str, str]) -> ET.Element:
    element = ET.SubElement(symbol, "layer", {"class": kind, "enabled": "1", "locked": "0", "pass": "0"})
    options = ET.SubElement(element, "Option", type="Map")
    for name, value in properties.items():
        ET.SubElement(options, "Option", type="QString", name=name, value=value)
    return element


def _rgba(colour: str | None) -> str:
    digits = (colour or _NOTHING).lstrip("#").ljust(8, "f")
    return ",".join(str(int(digits[start : start + 2], 16)) for start in (0, 2, 4, 6))


def _labeling(label: Label, whole: Whole | None, *, point: bool) -> ET.Element:
    labeling = ET.Element("labeling", type="simple")
    settings = ET.SubElement(labeling, "settings", calloutType="simple")
    expression = f'format_number("{label.column}", 0)' if label.whole else f'"{label.column}"'
    if whole is not None:
        # the name of the whole would stand on that of one of its parts
        expression = f"if({_is_whole(whole)}, NULL, {expression})"
    text = ET.SubElement(
        settings,
        "text-style",
        fieldName=expression,
        isExpression="1",
        fontSize=f"{label.size_pt:g}",
        fontSizeUnit="Point",
        fontWeight="75" if label.bold else "50",
        namedStyle="Bold" if label.bold else "Regular",
        textColor=_rgba(label.colour),
        textOpacity="1",
        multilineHeight="1",
    )
    ET.SubElement(
        text,
        "text-buffer",
        bufferDraw="1",
        bufferSize="0.8",
        bufferSizeUnits="MM",
        bufferColor="255,255,255,255",
        bufferOpacity="0.8",
    )
    # around a point; a horizontal label inside a polygon
    ET.SubElement(
        settings,
        "placement",
        placement="0" if point else "4",
        centroidInside="1",
        polygonPlacementFlags="2",
        priority="5",
    )
    ET.SubElement(
        settings,
        "rendering",
        drawLabels="1",
        scaleVisibility="1",
        # QGIS calls the denominator of the smallest scale "scaleMax"
        scaleMin="0",
        scaleMax=str(label.largest_scale),
        obstacle="1",
        obstacleType="1",
        displayAll="0",
        fontLimitPixelSize="0",
    )
    return labeling


def _append_fields(root: ET.Element, fields: list[Field], about: ReleaseAbout) -> None:
    configuration = ET.SubElement(root, "fieldConfiguration")
    aliases = ET.SubElement(root, "aliases")
    ET.SubElement(aliases, "alias", field="fid", index="0", name="일련번호")
    for index, field in enumerate(fields, start=1):
        element = ET.SubElement(configuration, "field", name=field.name, configurationFlags="None")
        _widget(element, field)
        ET.SubElement(
            aliases, "alias", field=field.name, index=str(index), name=field.label("ko", unshaded=about.unshaded)
        )


def _widget(parent: ET.Element, field: Field) -> None:
    kind = "ValueMap" if field.choices else {"boolean": "CheckBox", "date": "DateTime"}.get(field.kind, "TextEdit")
    widget = ET.SubElement(parent, "editWidget", type=kind)
    options = ET.SubElement(ET.SubElement(widget, "config"), "Option", type="Map")
    if field.choices:
        choices = ET.SubElement(options, "Option", type="List", name="map")
        for value, choice in field.choices.items():
            entry = ET.SubElement(choices, "Option", type="Map")
            ET.SubElement(entry, "Option", type="QString", name=f"{choice.ko} / {choice.en}", value=value)
    elif field.kind == "date":
        for name, value in (("display_format", "yyyy-MM-dd"), ("field_format", "yyyy-MM-dd")):
            ET.SubElement(options, "Option", type="QString", name=name, value=value)


def _map_tip(layer: Layer, style: Style, fields: list[Field], preview: str, about: ReleaseAbout) -> str:
    """Return what QGIS shows when the pointer rests on a feature: its name, its key and the value that colours it."""
    shown = [name for name in (layer.key, style.column) if name is not None]
    rows = []
    for field in fields:
        if field.name not in shown:
            continue
        value = (
            f'format_number("{field.name}", {min(field.decimals or 0, 1)})'
            if field.kind == "real"
            else f'represent_value("{field.name}")'
        )
        rows.append(f"{field.label('ko', unshaded=about.unshaded)}: [% coalesce({value}, '–') %]")
    mark = f"<br><i>{DEMO['ko']} / {DEMO['en']}</i>" if about.demo else ""
    return f"<b>[% {preview} %]</b><br>{'<br>'.join(rows)}{mark}"
