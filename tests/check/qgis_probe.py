"""Opens a GeoPackage with PyQGIS and prints as JSON what a planner would find; run by Debian's Python, not by ours.

Usage: QT_QPA_PLATFORM=offscreen /usr/bin/python3 qgis_probe.py FILE.gpkg PICTURE_FOLDER FONT_FILE
"""

import json
import sqlite3
import sys
from pathlib import Path

from qgis.core import Qgis, QgsApplication, QgsMapRendererParallelJob, QgsMapSettings, QgsVectorLayer
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor, QFontDatabase


def picture(layers, path):
    settings = QgsMapSettings()
    settings.setLayers(layers)
    settings.setDestinationCrs(layers[0].crs())
    settings.setBackgroundColor(QColor("white"))
    settings.setOutputSize(QSize(900, 600))
    extent = layers[0].extent()
    extent.scale(1.1)
    settings.setExtent(extent)
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    image = job.renderedImage()
    image.save(str(path))
    colours = {image.pixel(x, y) for x in range(0, 900, 3) for y in range(0, 600, 3)}
    return {"scale": settings.scale(), "colours": len(colours), "errors": [e.message for e in job.errors()]}


def describe(layer, folder):
    found = {
        "valid": layer.isValid(),
        "features": layer.featureCount(),
        "crs": layer.crs().authid(),
        "aliases": {field.name(): layer.attributeAlias(i) for i, field in enumerate(layer.fields())},
        "widgets": {field.name(): layer.editorWidgetSetup(i).type() for i, field in enumerate(layer.fields())},
        "choices": {
            field.name(): layer.editorWidgetSetup(i).config().get("map")
            for i, field in enumerate(layer.fields())
            if layer.editorWidgetSetup(i).type() == "ValueMap"
        },
        "title": layer.metadata().title(),
        "rights": layer.metadata().rights(),
        "labels": layer.labelsEnabled(),
        "display": layer.displayExpression(),
        "map_tip": layer.mapTipTemplate(),
    }
    counted, _, _, _, _message = layer.listStylesInDatabase()
    found["styles"] = counted
    renderer = layer.renderer()
    if renderer is not None:
        found["renderer"] = renderer.type()
        found["legend"] = [item.label() for item in renderer.legendSymbolItems()]
        if layer.labelsEnabled():
            settings = layer.labeling().settings()
            found["label_scales"] = [settings.minimumScale, settings.maximumScale, settings.scaleVisibility]
        if layer.featureCount():
            found["picture"] = picture([layer], folder / f"{layer.name()}.png")
    return found


def main(path, folder, font):
    application = QgsApplication([], False)
    application.initQgis()
    QFontDatabase.addApplicationFont(font)  # a machine for tests may have no Korean font
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        names = [
            row[0]
            for row in connection.execute("SELECT table_name FROM gpkg_contents WHERE table_name <> 'layer_styles'")
        ]
    layers = [QgsVectorLayer(f"{path}|layername={name}", name, "ogr") for name in names]
    answer = {"qgis": Qgis.QGIS_VERSION, "layers": {layer.name(): describe(layer, folder) for layer in layers}}
    order = ["districts", "roofs", "buildings", "parks", "green", "parcels"]
    together = [layer for name in order for layer in layers if layer.name() == name]
    if together:
        answer["together"] = picture(together, folder / "together.png")
    print(json.dumps(answer, ensure_ascii=False))
    del layers, together
    application.exitQgis()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
