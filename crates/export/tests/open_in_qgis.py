#!/usr/bin/python3
"""Opens files the way QGIS does when they are dropped on its map, and says what it found.

    open_in_qgis.py FILE...

Prints one JSON object per layer (every sublayer of every file) and exits 1 if one cannot be opened, if a file has
no layer, or if QGIS left something beside a file. Uses an empty profile; needs python3-qgis.
"""

import json
import os
import sys
import tempfile

PROFILE = tempfile.TemporaryDirectory(prefix="qgis-profile-")
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("XDG_RUNTIME_DIR", PROFILE.name)
os.environ["QGIS_CUSTOM_CONFIG_PATH"] = PROFILE.name

from qgis.core import (  # noqa: E402
    Qgis,
    QgsApplication,
    QgsMapLayerType,
    QgsProject,
    QgsProviderRegistry,
    QgsProviderSublayerDetails,
    QgsRasterBandStats,
    QgsRasterLayer,
    QgsVectorLayer,
    QgsWkbTypes,
)

MAP_KINDS = (QgsMapLayerType.VectorLayer, QgsMapLayerType.RasterLayer)


def layers_of(path):
    """Every sublayer that a provider offers, else the file as one layer."""
    options = QgsProviderSublayerDetails.LayerOptions(QgsProject.instance().transformContext())
    offered = QgsProviderRegistry.instance().querySublayers(path, Qgis.SublayerQueryFlags())
    found = {detail.uri(): detail for detail in offered if detail.type() in MAP_KINDS}
    layers = [detail.toLayer(options) for detail in found.values()]
    layers = [layer for layer in layers if layer is not None]
    if not layers:
        stem = os.path.splitext(os.path.basename(path))[0]
        attempts = (QgsVectorLayer(path, stem, "ogr"), QgsRasterLayer(path, stem, "gdal"))
        layers = [layer for layer in attempts if layer.isValid()][:1]
    return layers


def describe_vector(layer):
    geometries = [feature.geometry() for feature in layer.getFeatures()]
    present = [geometry for geometry in geometries if not geometry.isEmpty()]
    return {
        "features": layer.featureCount(),
        "geometry_type": QgsWkbTypes.displayString(layer.wkbType()),
        "geometries": len(present),
        "invalid_geometries": sum(not geometry.isGeosValid() for geometry in present),
        "fields": {field.name(): field.typeName() for field in layer.fields()},
    }


def describe_raster(layer):
    provider = layer.dataProvider()
    statistics = provider.bandStatistics(1, QgsRasterBandStats.Min | QgsRasterBandStats.Max)
    return {
        "size": [layer.width(), layer.height()],
        "bands": layer.bandCount(),
        "band_name": layer.bandName(1),
        "nodata": provider.sourceNoDataValue(1) if provider.sourceHasNoDataValue(1) else None,
        "minimum": statistics.minimumValue,
        "maximum": statistics.maximumValue,
    }


def describe(path, layer):
    report = {"path": path, "layer": layer.name(), "valid": layer.isValid()}
    if not layer.isValid():
        return report | {"error": layer.error().summary()}
    extent = layer.extent()
    report |= {
        "crs": layer.crs().authid(),
        "title": layer.dataProvider().layerMetadata().title() or layer.metadata().title(),
        "abstract": layer.dataProvider().layerMetadata().abstract(),
        "extent": [extent.xMinimum(), extent.yMinimum(), extent.xMaximum(), extent.yMaximum()],
    }
    is_vector = layer.type() == QgsMapLayerType.VectorLayer
    return report | (describe_vector(layer) if is_vector else describe_raster(layer))


def main(paths):
    QgsApplication.setPrefixPath("/usr", True)
    application = QgsApplication([], False)
    application.initQgis()
    failed = False
    for path in paths:
        folder = os.path.dirname(os.path.abspath(path))
        before = set(os.listdir(folder))
        layers = layers_of(path)
        reports = [describe(path, layer) for layer in layers]
        if not reports:
            reports = [{"path": path, "layer": None, "valid": False, "error": "no layer"}]
        litter = sorted(set(os.listdir(folder)) - before)
        # A database that is open has its log beside it until it is closed.
        litter = [name for name in litter if not name.endswith(("-wal", "-shm", "-journal"))]
        for report in reports:
            print(json.dumps(report | {"litter": litter}, ensure_ascii=False))
            failed |= not report["valid"] or bool(litter)
    sys.stdout.flush()
    PROFILE.cleanup()
    # The orderly end of QGIS crashes without a display on some systems; nothing is left to be written.
    os._exit(1 if failed else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
