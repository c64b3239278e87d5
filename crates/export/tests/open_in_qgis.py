#!/usr/bin/python3
"""Opens files the way QGIS does when they are dropped on its map or double-clicked, and says what it found.

    open_in_qgis.py FILE...              layers, and projects (.qgz)
    open_in_qgis.py --sheet A.png P.qgz  prints the sheet of a project, too

Prints one JSON object per layer (every sublayer of every file, every layer of a project) and one per project, and exits 1 if
one cannot be opened, if a file has no layer, or if QGIS left something beside a file. Uses an empty profile; needs python3-qgis.
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
    QgsDateTimeRange,
    QgsFeatureRequest,
    QgsLayoutExporter,
    QgsMapLayerType,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsProject,
    QgsProviderRegistry,
    QgsProviderSublayerDetails,
    QgsRasterBandStats,
    QgsRasterLayer,
    QgsRectangle,
    QgsUnitTypes,
    QgsVectorLayer,
    QgsVectorLayerTemporalContext,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QSize, Qt  # noqa: E402
from qgis.PyQt.QtGui import QColor, QImage  # noqa: E402

MAP_KINDS = (QgsMapLayerType.VectorLayer, QgsMapLayerType.RasterLayer)
MOST_FRAMES = 60


def layers_of(path):
    """Every sublayer that a provider offers, else the file as one layer; each with the style it brings."""
    options = QgsProviderSublayerDetails.LayerOptions(QgsProject.instance().transformContext())
    options.loadDefaultStyle = True
    offered = QgsProviderRegistry.instance().querySublayers(path, Qgis.SublayerQueryFlags())
    found = {detail.uri(): detail for detail in offered if detail.type() in MAP_KINDS}
    layers = [detail.toLayer(options) for detail in found.values()]
    layers = [layer for layer in layers if layer is not None]
    if not layers:
        stem = os.path.splitext(os.path.basename(path))[0]
        attempts = (QgsVectorLayer(path, stem, "ogr"), QgsRasterLayer(path, stem, "gdal"))
        layers = [layer for layer in attempts if layer.isValid()][:1]
    for layer in layers:
        layer.loadDefaultStyle()
        layer.loadDefaultMetadata()
    return layers


def is_blank(layers, crs, extent):
    """Whether a picture of these layers shows one colour only."""
    settings = QgsMapSettings()
    settings.setLayers(layers)
    settings.setOutputSize(QSize(300, 300))
    settings.setBackgroundColor(QColor("white"))
    settings.setDestinationCrs(crs)
    settings.setExtent(extent)
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    picture = job.renderedImage().convertToFormat(QImage.Format_RGB32)
    return len({picture.pixel(x, y) for x in range(300) for y in range(300)}) <= 1


def classes_of(renderer):
    kind = renderer.type()
    if kind == "graduatedSymbol":
        return [[r.lowerValue(), r.upperValue(), r.label(), r.symbol().color().name()] for r in renderer.ranges()]
    if kind == "categorizedSymbol":
        return [[c.value(), c.label(), c.symbol().color().name()] for c in renderer.categories()]
    if kind == "singlebandpseudocolor":
        function = renderer.shader().rasterShaderFunction()
        return [[i.value, i.label, i.color.name(), i.color.alpha()] for i in function.colorRampItemList()]
    return []


def frames_of(layer, start, end):
    """How many features each stretch of time shows, and how many begin in it."""
    begins, ends = layer.fields().indexOf(start), layer.fields().indexOf(end)
    spans = {}
    for feature in layer.getFeatures(QgsFeatureRequest().setFlags(QgsFeatureRequest.NoGeometry)):
        span = (feature[begins], feature[ends])
        if all(hasattr(moment, "toString") for moment in span):
            key = tuple(moment.toString(Qt.ISODate) for moment in span)
            spans.setdefault(key, [span, 0])[1] += 1
    frames = []
    for key in sorted(spans)[:MOST_FRAMES]:
        (first, last), own = spans[key]
        context = QgsVectorLayerTemporalContext()
        context.setLayer(layer)
        window = QgsDateTimeRange(first, last, True, False)
        wanted = layer.temporalProperties().createFilterString(context, window)
        shown = sum(1 for _ in layer.getFeatures(QgsFeatureRequest().setFilterExpression(wanted)))
        frames.append({"from": key[0], "to": key[1], "own": own, "shown": shown})
    return frames


def describe_vector(layer):
    geometries = [feature.geometry() for feature in layer.getFeatures()]
    present = [geometry for geometry in geometries if not geometry.isEmpty()]
    renderer, temporal = layer.renderer(), layer.temporalProperties()
    attribute = renderer.classAttribute() if hasattr(renderer, "classAttribute") else ""
    names = [field.name() for field in layer.fields()]
    classed = 0
    if attribute in names:
        from qgis.core import QgsRenderContext

        context = QgsRenderContext()
        renderer.startRender(context, layer.fields())
        classed = sum(renderer.symbolForFeature(feature, context) is not None for feature in layer.getFeatures())
        renderer.stopRender(context)
    return {
        "features": layer.featureCount(),
        "geometry_type": QgsWkbTypes.displayString(layer.wkbType()),
        "geometries": len(present),
        "invalid_geometries": sum(not geometry.isGeosValid() for geometry in present),
        "fields": {field.name(): field.typeName() for field in layer.fields()},
        "attribute": attribute,
        "attribute_exists": not attribute or attribute in names,
        "classed": classed,
        "aliases": {name: layer.attributeAlias(at) for at, name in enumerate(names)},
        "value_maps": [name for at, name in enumerate(names) if layer.editorWidgetSetup(at).type() == "ValueMap"],
        "labels": layer.labeling().settings().fieldName if layer.labelsEnabled() and layer.labeling() else None,
        "tip": bool(layer.mapTipTemplate()),
        "temporal": temporal.isActive(),
        "frames": frames_of(layer, temporal.startField(), temporal.endField()) if temporal.isActive() else [],
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
    extent, metadata = layer.extent(), layer.metadata()
    report |= {
        "crs": layer.crs().authid(),
        "title": metadata.title() or layer.dataProvider().layerMetadata().title(),
        "abstract": metadata.abstract() or layer.dataProvider().layerMetadata().abstract(),
        "history": metadata.history(),
        "licences": metadata.licenses(),
        "extent": [extent.xMinimum(), extent.yMinimum(), extent.xMaximum(), extent.yMaximum()],
        "renderer": layer.renderer().type(),
        "classes": classes_of(layer.renderer()),
        "blank": is_blank([layer], layer.crs(), extent),
    }
    is_vector = layer.type() == QgsMapLayerType.VectorLayer
    report |= describe_vector(layer) if is_vector else describe_raster(layer)
    return report | ({"sld": reads_sld(layer)} if is_vector else {})


def reads_sld(layer):
    """The renderer and the number of rules that QGIS reads from the SLD stored beside the style, if there is one."""
    source = layer.source().split("|")[0]
    if not source.endswith(".gpkg"):
        return None
    import sqlite3

    with sqlite3.connect(f"file:{source}?mode=ro&immutable=1", uri=True) as database:
        name = layer.source().split("layername=")[-1].split("|")[0]
        found = database.execute("SELECT styleSLD FROM layer_styles WHERE f_table_name = ?", (name,)).fetchone()
    if found is None:
        return None
    path = os.path.join(PROFILE.name, "style.sld")
    with open(path, "w", encoding="utf-8") as file:
        file.write(found[0])
    copy = layer.clone()
    why, done = copy.loadSldStyle(path)
    return {"read": done, "why": why, "renderer": copy.renderer().type(), "rules": len(copy.renderer().legendSymbolItems())}


def describe_project(path, sheet):
    project = QgsProject.instance()
    project.clear()
    read = project.read(path)
    root = project.layerTreeRoot()
    layers = project.mapLayers().values()
    linked = [node.layerId() for node in root.findLayers() if node.layer() is not None]
    visible = [layer for layer in root.layerOrder() if root.findLayer(layer.id()).isVisible()]
    view = project.viewSettings().defaultViewExtent()
    time = project.timeSettings()
    span = time.temporalRange()
    report = {
        "project": path,
        "valid": read and bool(layers) and all(layer.isValid() for layer in layers),
        "error": project.error(),
        "title": project.title(),
        "abstract": project.metadata().abstract(),
        "crs": project.crs().authid(),
        "sources": sorted(layer.source() for layer in layers),
        "layers": len(layers),
        "linked": len(linked),
        "groups": [[node.name(), node.itemVisibilityChecked()] for node in root.children()],
        "names": [node.name() for node in root.findLayers()],
        "visible": [layer.name() for layer in visible],
        "layouts": len(project.layoutManager().printLayouts()),
        "bookmarks": [mark.name() for mark in project.bookmarkManager().bookmarks()],
        "bookmark_crs": sorted({mark.extent().crs().authid() for mark in project.bookmarkManager().bookmarks()}),
        "navigation": project.readNumEntry("TemporalControllerWidget", "/NavigationMode", -1)[0],
        "span": [span.begin().toString(Qt.ISODate), span.end().toString(Qt.ISODate)],
        "step": [time.timeStep(), QgsUnitTypes.encodeUnit(time.timeStepUnit())],
        "view": None if view.isNull() else [view.xMinimum(), view.yMinimum(), view.xMaximum(), view.yMaximum()],
        "blank": is_blank(visible, project.crs(), QgsRectangle(view)),
    }
    if report["layouts"]:
        layout = project.layoutManager().printLayouts()[0]
        page = layout.pageCollection().page(0).pageSize()
        report["page"] = [page.width(), page.height()]
        report["items"] = sorted(item.id() for item in layout.items() if getattr(item, "id", None) and item.id())
        if sheet:
            settings = QgsLayoutExporter.ImageExportSettings()
            settings.dpi = 150
            report["printed"] = QgsLayoutExporter(layout).exportToImage(sheet, settings) == QgsLayoutExporter.Success
    return [report] + [describe(path, layer) for layer in layers]


def main(paths):
    sheet = None
    if paths[:1] == ["--sheet"]:
        sheet, paths = paths[1], paths[2:]
    QgsApplication.setPrefixPath("/usr", True)
    application = QgsApplication([], False)
    application.initQgis()
    failed = False
    for path in paths:
        folder = os.path.dirname(os.path.abspath(path))
        before = set(os.listdir(folder))
        if path.endswith((".qgz", ".qgs")):
            reports = describe_project(path, sheet)
        else:
            reports = [describe(path, layer) for layer in layers_of(path)]
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
