"""Opens a release with PyQGIS as a planner would, project and GeoPackages, and prints as JSON what was found.

Run by Debian's Python, not by ours: QT_QPA_PLATFORM=offscreen /usr/bin/python3 qgis_project_probe.py RELEASE PICTURE_FOLDER FONT_FILE
"""

import json
import sqlite3
import sys
from pathlib import Path

from qgis.core import (
    QgsApplication,
    QgsCategorizedSymbolRenderer,
    QgsGraduatedSymbolRenderer,
    QgsLayoutExporter,
    QgsMapLayer,
    QgsMapRendererSequentialJob,
    QgsMapSettings,
    QgsProject,
    QgsRenderContext,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor, QFontDatabase

WIDTH, HEIGHT = 900, 600


def picture(settings_of, extent, crs):
    """Draw a map without smoothed edges, so that a pixel has the colour of one symbol."""
    settings = QgsMapSettings()
    settings.setDestinationCrs(crs)
    settings.setBackgroundColor(QColor("white"))
    settings.setOutputSize(QSize(WIDTH, HEIGHT))
    settings.setFlag(QgsMapSettings.Antialiasing, False)
    settings.setFlag(QgsMapSettings.DrawLabeling, False)
    settings_of(settings)
    extent.scale(1.05)
    settings.setExtent(extent)
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    return job.renderedImage(), [error.message for error in job.errors()]


def classes_of(layer):
    """Classes that features fall into: legend text, colour, and the area [m2] they cover."""
    renderer = layer.renderer()
    if not isinstance(renderer, (QgsCategorizedSymbolRenderer, QgsGraduatedSymbolRenderer)):
        return {}
    symbols = {item.ruleKey(): item for item in renderer.legendSymbolItems()}
    context = QgsRenderContext()
    renderer.startRender(context, layer.fields())
    covered = {}
    kind = layer.fields().indexOf("kind")
    for feature in layer.getFeatures():
        if kind >= 0 and feature[kind] == "district":
            continue  # the whole is an outline over its dongs
        context.expressionContext().setFeature(feature)
        for key in renderer.legendKeysForFeature(feature, context):
            covered[key] = covered.get(key, 0.0) + feature.geometry().area()
    renderer.stopRender(context)
    return {
        symbols[key].label(): {"colour": symbols[key].symbol().color().name(), "area_m2": area}
        for key, area in covered.items()
    }


def image_scale(layer):
    """Metres that a pixel is wide when the whole layer fills the picture."""
    return 1.05 * max(layer.extent().width() / WIDTH, layer.extent().height() / HEIGHT)


def describe(layer, folder, name):
    """What one layer looks like; a picture of it alone where it has a shape and something in it."""
    found = {
        "valid": layer.isValid(),
        "source": layer.source(),
        "style": layer.styleManager().currentStyle(),
        "crs": layer.crs().authid(),
    }
    if layer.type() == QgsMapLayer.VectorLayer:
        fields = layer.fields()
        found["features"] = layer.featureCount()
        found["read_only"] = layer.readOnly()
        found["aliases"] = {field.name(): layer.attributeAlias(i) for i, field in enumerate(fields)}
        found["renderer"] = layer.renderer().type() if layer.renderer() else None
        found["classes"] = classes_of(layer)
        drawn = layer.isSpatial() and layer.featureCount() > 0
    else:
        found["renderer"] = layer.renderer().type()
        drawn = True
    if drawn:
        image, errors = picture(lambda settings: settings.setLayers([layer]), layer.extent(), layer.crs())
        image.save(str(folder / f"{name}.png"))
        found |= {"errors": errors, "picture": f"{name}.png", "m2_per_pixel": image_scale(layer) ** 2}
    return found


def default_styles(path):
    with sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True) as connection:
        return dict(
            connection.execute("SELECT f_table_name, styleName FROM layer_styles WHERE useAsDefault = 1").fetchall()
        )


def layer_names(path):
    with sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True) as connection:
        return [
            row[0]
            for row in connection.execute("SELECT table_name FROM gpkg_contents WHERE table_name <> 'layer_styles'")
        ]


def themes_of(project, folder):
    found = {}
    collection = project.mapThemeCollection()
    for number, theme in enumerate(sorted(collection.mapThemes())):
        layers = collection.mapThemeVisibleLayers(theme)
        overrides = collection.mapThemeStyleOverrides(theme)

        def dress(settings, layers=layers, overrides=overrides):
            settings.setLayers(layers)
            settings.setLayerStyleOverrides(overrides)

        extent = next(layer for layer in layers if layer.id().endswith("_districts")).extent()
        image, errors = picture(dress, extent, project.crs())
        image.save(str(folder / f"theme-{number}.png"))
        found[theme] = {"layers": len(layers), "errors": errors, "picture": f"theme-{number}.png"}
    return found


def sheets_of(project, folder):
    """Every sheet's page and atlas; the first of each scenario as PDF, and its first atlas page as PNG."""
    found = {}
    exported = set()
    for layout in project.layoutManager().printLayouts():
        page, atlas = layout.pageCollection().page(0).pageSize(), layout.atlas()
        pages = atlas.updateFeatures()
        told = {
            "page_mm": [page.width(), page.height()],
            "pages": pages,
            "coverage": atlas.coverageLayer().id(),
            "types": sorted({item.type() for item in layout.items()}),
        }
        scenario = atlas.coverageLayer().id().rpartition("_")[0]
        if scenario not in exported:
            exported.add(scenario)
            exporter = QgsLayoutExporter(layout)
            pdf, png = folder / f"sheet-{scenario}.pdf", folder / f"dong-{scenario}.png"
            told["pdf"] = [exporter.exportToPdf(str(pdf), QgsLayoutExporter.PdfExportSettings()), pdf.name]
            atlas.beginRender()
            atlas.first()
            told["dong_name"] = atlas.nameForPage(0)
            images = QgsLayoutExporter.ImageExportSettings()
            images.dpi = 100
            told["png"] = [exporter.exportToImage(str(png), images), png.name]
            atlas.endRender()
        found[layout.name()] = told
    return found


def main(release, folder, font):
    application = QgsApplication([], False)
    application.initQgis()
    QFontDatabase.addApplicationFont(font)  # a machine for tests may have no Korean font
    warnings = []
    application.messageLog().messageReceived.connect(lambda text, tag, level: warnings.append([tag, int(level), text]))
    project = QgsProject.instance()
    answer = {
        "opened": project.read(str(release / "town.qgz")),
        "error": project.error(),
        "title": project.title(),
        "crs": project.crs().authid(),
    }
    answer["groups"] = [group.name() for group in project.layerTreeRoot().findGroups()]
    answer["layers"] = {
        layer.id(): describe(layer, folder, f"project-{layer.id()}") for layer in project.mapLayers().values()
    }
    answer["themes"] = themes_of(project, folder)
    answer["sheets"] = sheets_of(project, folder)
    project.clear()
    answer["files"] = {}
    for path in sorted(release.rglob("*.gpkg")):
        layers = [QgsVectorLayer(f"{path}|layername={name}", name, "ogr") for name in layer_names(path)]
        answer["files"][path.relative_to(release).as_posix()] = {
            "defaults": default_styles(path),
            "layers": {
                layer.name(): describe(
                    layer, folder, f"{path.parent.name}-{path.stem}-{layer.name()}".replace("/", "-")
                )
                for layer in layers
            },
        }
        del layers
    answer["warnings"] = warnings
    print(json.dumps(answer, ensure_ascii=False))
    application.exitQgis()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
