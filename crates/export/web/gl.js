// The same map painted with WebGL by the map library, where the page holds it and a graphics card is there.

/** Paints with WebGL: resolves once the first picture is there. */
function glPainter(ground) {
  return new Promise((resolve, reject) => {
    const place = el("div");
    ground.prepend(place);
    const give_up = (why) => {
      place.remove();
      reject(why);
    };
    let map;
    try {
      map = new maplibregl.Map({
        container: place,
        style: { version: 8, sources: {}, layers: [{ id: "ground", type: "background", paint: { "background-color": colour("map") } }] },
        ...glCamera(),
        interactive: false,
        attributionControl: false,
        fadeDuration: 0,
        renderWorldCopies: false,
        maxZoom: 24,
        maxPitch: 0,
      });
    } catch (why) {
      give_up(why);
      return;
    }
    map.on("error", ({ error }) => console.warn(String(error?.message ?? error)));
    map.getCanvas().removeAttribute("tabindex");
    map.getCanvas().setAttribute("role", "presentation");
    map.getCanvas().removeAttribute("aria-label");
    map.on("load", () => {
      glLayers(map);
      map.once("idle", () => {
        map.getCanvas().addEventListener("webglcontextlost", () => usePainter(canvasPainter(ground)));
        resolve({
          kind: "webgl",
          show: () => map.jumpTo(glCamera()),
          changed: () => glChanged(map),
          resize: () => map.resize(),
          remove() {
            map.remove();
            place.remove();
          },
        });
      });
    });
  });
}

const glCamera = () => ({ center: lonlat([camera.x, camera.y]), zoom: Math.log2(camera.scale / 512) });

function glFeatures(layer) {
  const geometry = ({ kind, parts }) =>
    kind === 2
      ? { type: "MultiPolygon", coordinates: parts }
      : kind
        ? { type: "MultiLineString", coordinates: parts.flat().filter((line) => line.length > 1) }
        : { type: "MultiPoint", coordinates: parts.flat(2) };
  const features = shownOf(layer)
    .filter((feature) => feature.parts.length)
    .map((feature) => ({ type: "Feature", properties: { at: feature.at, kind: feature.kind, cls: classOf(layer, feature) ?? -1 }, geometry: geometry(feature) }));
  return { type: "FeatureCollection", features };
}
const glFill = (layer) => {
  const cases = entriesOf(layer).flatMap((entry, at) => (entry.fill ? [at, entry.fill] : []));
  return cases.length ? ["match", ["get", "cls"], ...cases, colour("line")] : colour("line");
};
const glSeen = (visible) => ({ visibility: visible ? "visible" : "none" });
/** What a layer is made of: kinds of layers of the library, each with its paint and which features it is for. */
function glParts(layer) {
  const { fill, line: [tint, wide, opacity, dash] } = manner(layer);
  const beneath = layer.name === "basemap";
  const of = (kinds) => ["in", ["get", "kind"], ["literal", kinds]];
  const parts = [];
  if (fill) parts.push(["fill", { "fill-color": glFill(layer), "fill-opacity": fill }, of([2])]);
  parts.push(["line", { "line-color": colour(tint), "line-width": wide, "line-opacity": opacity, ...(dash && { "line-dasharray": dash.map((part) => part / wide) }) }, of([1, 2])]);
  if (layer.has[0]) parts.push(["circle", { "circle-color": beneath ? colour("street") : glFill(layer), "circle-radius": beneath ? 1.5 : DOT, "circle-stroke-color": colour("ink"), "circle-stroke-width": beneath ? 0 : 1.6 }, of([0])]);
  return parts;
}
/** What makes features stand out: a bright line upon a broad quiet one. */
function glMarks(layer) {
  const filter = (kinds) => ["all", ["in", ["get", "kind"], ["literal", kinds]], ["in", ["get", "at"], ["literal", [...(scene.marked.get(layer.name) ?? [])]]]];
  const rings = [["around", "card", 6], ["marked", "mark", 3.5]];
  const lines = rings.map(([name, tint, wide]) => [name, "line", { "line-color": colour(tint), "line-width": wide }, filter([1, 2])]);
  const circles = rings.map(([name, tint, wide]) => [`${name}-dot`, "circle", { "circle-radius": DOT, "circle-opacity": 0, "circle-stroke-color": colour(tint), "circle-stroke-width": wide }, filter([0])]);
  return layer.has[0] ? [...lines, ...circles] : lines;
}
/** The layers of which features can stand out. */
const markable = () => upwards().filter((layer) => isListed(layer) || own.marks.includes(layer.name));

function glLayers(map) {
  for (const layer of upwards()) {
    const source = layer.name;
    map.addSource(source, { type: "geojson", data: glFeatures(layer), tolerance: 0.2 });
    for (const [type, paint, filter] of glParts(layer)) map.addLayer({ id: `${source}-${type}`, type, source, filter, paint, layout: glSeen(layer.visible) });
  }
  if (scene.density) {
    const [west, south, east, north] = scene.density.box;
    const coordinates = [[west, north], [east, north], [east, south], [west, south]];
    map.addSource("density", { type: "canvas", canvas: scene.density.canvas, animate: false, coordinates });
    map.addLayer({ id: "density", type: "raster", source: "density", paint: { "raster-opacity": DENSITY, "raster-fade-duration": 0 }, layout: glSeen(scene.density.visible) }, map.getLayer("zones-fill") ? "zones-fill" : undefined);
  }
  for (const layer of markable())
    for (const [name, type, paint, filter] of glMarks(layer)) map.addLayer({ id: `${layer.name}-${name}`, type, source: layer.name, filter, paint });
}

/** Layers, classes, colours or what stands out have changed. */
function glChanged(map) {
  map.setPaintProperty("ground", "background-color", colour("map"));
  for (const layer of upwards()) {
    for (const [type, paint] of glParts(layer)) {
      map.setLayoutProperty(`${layer.name}-${type}`, "visibility", glSeen(layer.visible).visibility);
      for (const [key, value] of Object.entries(paint)) map.setPaintProperty(`${layer.name}-${type}`, key, value);
    }
  }
  for (const layer of markable()) {
    map.getSource(layer.name).setData(glFeatures(layer));
    for (const [name, , paint, filter] of glMarks(layer)) {
      const id = `${layer.name}-${name}`;
      map.setFilter(id, filter);
      map.setLayoutProperty(id, "visibility", glSeen(layer.visible || isListed(layer)).visibility);
      for (const [key, value] of Object.entries(paint)) map.setPaintProperty(id, key, value);
    }
  }
  if (scene.density) map.setLayoutProperty("density", "visibility", glSeen(scene.density.visible).visibility);
}
