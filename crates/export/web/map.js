// The map: one camera and one set of layers, painted on a canvas at once and with WebGL as soon as that is there.

const scene = {
  layers: [],
  density: null,
  chosen: null,
  /** The class of each hotspot, other than its own while a stretch of time is looked at. */
  classes: null,
};
const camera = { x: 0, y: 0, scale: 512 };
let origin = [0, 0];
let painter = null;
const NEAREST = 2 ** 29;
/** How opaque the density is: the hotspots are to be seen first. */
const DENSITY = 0.6;
const LAYERS = ["basemap", "zones", "hotspots", "study_area"];

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const layerOf = (name) => scene.layers.find((layer) => layer.name === name);

/** The layers as they are drawn. */
function setScene() {
  for (const layer of data.layers) {
    const features = decoded(layer);
    scene.layers.push({ ...layer, features, visible: layer.name !== "zones", paths: null });
  }
  if (data.density) {
    const [west, south, east, north] = data.density.bounds;
    scene.density = { canvas: densityCanvas(data.density), box: data.density.bounds, visible: true, corners: [mercator([west, north]), mercator([east, south])] };
  }
  const box = wholeBox();
  origin = mercator([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2]);
}

function wholeBox() {
  const boxes = ["study_area", "hotspots", "zones"].map((name) => around((layerOf(name)?.features ?? []).map((feature) => feature.box)));
  const box = boxes.find((box) => Number.isFinite(box[0])) ?? data.density?.bounds;
  return box ?? [-1, -1, 1, 1];
}

const classOf = (layer, feature) => (layer.name === "hotspots" && scene.classes ? scene.classes[feature.at] : feature.cls);
const entriesOf = (layer) => (layer.name === "hotspots" && scene.classes ? data.over_time.classes : layer.classes).entries;

/** One path per class, in map units around the origin. */
function pathsOf(layer) {
  if (layer.paths) return layer.paths;
  layer.paths = new Map();
  for (const feature of layer.features) {
    const cls = classOf(layer, feature) ?? -1;
    if (!layer.paths.has(cls)) layer.paths.set(cls, new Path2D());
    trace(layer.paths.get(cls), feature);
  }
  return layer.paths;
}
function trace(path, feature) {
  for (const lines of feature.parts)
    for (const line of lines)
      line.forEach((position, i) => {
        const [x, y] = mercator(position);
        path[i ? "lineTo" : "moveTo"]((x - origin[0]) * WORLD, (y - origin[1]) * WORLD);
      });
  return path;
}

/** Paints the scene. `ink` gives the colours. */
function paint(pen, width, height, view, ink, ratio) {
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.fillStyle = ink("map");
  pen.fillRect(0, 0, width * ratio, height * ratio);
  const k = view.scale / WORLD;
  const [dx, dy] = [width / 2 - (view.x - origin[0]) * view.scale, height / 2 - (view.y - origin[1]) * view.scale];
  pen.setTransform(k * ratio, 0, 0, k * ratio, dx * ratio, dy * ratio);
  const stroke = (path, style, wide, dash = []) => {
    pen.strokeStyle = style;
    pen.lineWidth = wide / k;
    pen.setLineDash(dash.map((part) => part / k));
    pen.stroke(path);
  };
  const each = (name, act) => {
    const layer = layerOf(name);
    if (layer?.visible) for (const [cls, path] of pathsOf(layer)) act(path, entriesOf(layer)[cls]?.fill, layer);
  };
  pen.lineJoin = "round";
  each("basemap", (path) => stroke(path, ink("street"), 1));
  if (scene.density?.visible) {
    const [[left, top], [right, bottom]] = scene.density.corners;
    const place = (x, from) => (x - from) * WORLD;
    pen.globalAlpha = DENSITY;
    pen.drawImage(scene.density.canvas, place(left, origin[0]), place(top, origin[1]), (right - left) * WORLD, (bottom - top) * WORLD);
    pen.globalAlpha = 1;
  }
  each("zones", (path, fill, layer) => {
    pen.globalAlpha = 0.75;
    pen.fillStyle = fill ?? ink("line");
    pen.fill(path, "evenodd");
    // The edges of very many squares would hide what is in them.
    if (!layer.squares) stroke(path, ink("edge"), 0.3);
    pen.globalAlpha = 1;
  });
  each("hotspots", (path, fill) => {
    pen.globalAlpha = 0.6;
    pen.fillStyle = fill ?? ink("line");
    pen.fill(path, "evenodd");
    pen.globalAlpha = 1;
    stroke(path, ink("ink"), 2.2);
  });
  each("study_area", (path) => stroke(path, ink("edge"), 1.6, [6, 4]));
  const chosen = layerOf("hotspots")?.features[scene.chosen ?? -1];
  if (chosen) {
    const path = trace(new Path2D(), chosen);
    stroke(path, ink("card"), 6);
    stroke(path, ink("mark"), 3.5);
  }
}

/** Paints on a canvas. */
function canvasPainter(ground) {
  const canvas = el("canvas");
  ground.append(canvas);
  const pen = canvas.getContext("2d");
  return {
    kind: "canvas",
    show() {
      const ratio = window.devicePixelRatio || 1;
      const [width, height] = [ground.clientWidth, ground.clientHeight];
      if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
        canvas.width = Math.round(width * ratio);
        canvas.height = Math.round(height * ratio);
      }
      paint(pen, width, height, camera, colour, ratio);
    },
    changed() {
      this.show();
    },
    remove() {
      canvas.remove();
    },
  };
}

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
  const drawn = layer.features.filter((feature) => feature.parts.length);
  return {
    type: "FeatureCollection",
    features: drawn.map((feature) => ({
      type: "Feature",
      properties: { at: feature.at, cls: classOf(layer, feature) ?? -1 },
      geometry:
        feature.kind === 2
          ? { type: "MultiPolygon", coordinates: feature.parts }
          : { type: "MultiLineString", coordinates: feature.parts.flat().filter((line) => line.length > 1) },
    })),
  };
}
const glFill = (layer) => {
  const cases = entriesOf(layer).flatMap((entry, at) => (entry.fill ? [at, entry.fill] : []));
  return cases.length ? ["match", ["get", "cls"], ...cases, colour("line")] : colour("line");
};
const glSeen = (visible) => ({ visibility: visible ? "visible" : "none" });
/** What each layer is made of: its kind, its paint. */
const GL_PARTS = {
  basemap: () => [["line", { "line-color": colour("street"), "line-width": 1 }]],
  zones: (layer) => [
    ["fill", { "fill-color": glFill(layer), "fill-opacity": 0.75 }],
    ["line", { "line-color": colour("edge"), "line-width": 0.4, "line-opacity": layer.squares ? 0 : 0.4 }],
  ],
  hotspots: (layer) => [
    ["fill", { "fill-color": glFill(layer), "fill-opacity": 0.6 }],
    ["line", { "line-color": colour("ink"), "line-width": 2.2 }],
  ],
  study_area: () => [["line", { "line-color": colour("edge"), "line-width": 1.6, "line-dasharray": [4, 3] }]],
};
const glChosen = () => ["==", ["get", "at"], scene.chosen ?? -1];

function glLayers(map) {
  for (const name of LAYERS) {
    const layer = layerOf(name);
    if (!layer) continue;
    map.addSource(name, { type: "geojson", data: glFeatures(layer), tolerance: 0.2 });
    GL_PARTS[name](layer).forEach(([type, paint]) => map.addLayer({ id: `${name}-${type}`, type, source: name, paint, layout: glSeen(layer.visible) }));
  }
  if (scene.density) {
    const [west, south, east, north] = scene.density.box;
    const coordinates = [[west, north], [east, north], [east, south], [west, south]];
    map.addSource("density", { type: "canvas", canvas: scene.density.canvas, animate: false, coordinates });
    map.addLayer({ id: "density", type: "raster", source: "density", paint: { "raster-opacity": DENSITY, "raster-fade-duration": 0 }, layout: glSeen(scene.density.visible) }, map.getLayer("zones-fill") ? "zones-fill" : undefined);
  }
  for (const [id, name, width] of [["around", "card", 6], ["chosen", "mark", 3.5]])
    map.addLayer({ id, type: "line", source: "hotspots", filter: glChosen(), paint: { "line-color": colour(name), "line-width": width } });
}

/** Layers, classes, colours or the chosen hotspot have changed. */
function glChanged(map) {
  map.setPaintProperty("ground", "background-color", colour("map"));
  for (const name of LAYERS) {
    const layer = layerOf(name);
    if (!layer) continue;
    if (name === "hotspots") map.getSource(name).setData(glFeatures(layer));
    for (const [type, paint] of GL_PARTS[name](layer)) {
      map.setLayoutProperty(`${name}-${type}`, "visibility", glSeen(layer.visible).visibility);
      for (const [key, value] of Object.entries(paint)) map.setPaintProperty(`${name}-${type}`, key, value);
    }
  }
  if (scene.density) map.setLayoutProperty("density", "visibility", glSeen(scene.density.visible).visibility);
  for (const [id, name] of [["around", "card"], ["chosen", "mark"]]) {
    map.setFilter(id, glChosen());
    map.setPaintProperty(id, "line-color", colour(name));
  }
}

function usePainter(next) {
  painter?.remove();
  painter = next;
  painter.changed();
  moved();
  document.documentElement.dataset.map = painter.kind;
}

// The camera.

const size = () => [$("ground").clientWidth, $("ground").clientHeight];
const onScreen = (position) => {
  const [x, y] = mercator(position);
  const [width, height] = size();
  return [width / 2 + (x - camera.x) * camera.scale, height / 2 + (y - camera.y) * camera.scale];
};
const placeAt = (px, py) => {
  const [width, height] = size();
  return lonlat([camera.x + (px - width / 2) / camera.scale, camera.y + (py - height / 2) / camera.scale]);
};

/** The camera that shows a box. */
function fitted([west, south, east, north], [width, height], most = NEAREST / 16) {
  const [left, top] = mercator([west, north]);
  const [right, bottom] = mercator([east, south]);
  const scale = 0.88 * Math.min(width / Math.max(right - left, 1e-9), height / Math.max(bottom - top, 1e-9));
  return { x: (left + right) / 2, y: (top + bottom) / 2, scale: Math.min(scale, most) };
}
function look(next) {
  Object.assign(camera, next);
  moved();
}
function panBy(dx, dy) {
  look({ x: camera.x - dx / camera.scale, y: camera.y - dy / camera.scale });
}
function zoomAt(factor, px = size()[0] / 2, py = size()[1] / 2) {
  const scale = Math.max(256, Math.min(NEAREST, camera.scale * factor));
  const [ax, ay] = [px - size()[0] / 2, py - size()[1] / 2];
  look({ x: camera.x + ax / camera.scale - ax / scale, y: camera.y + ay / camera.scale - ay / scale, scale });
}

let waiting = false;
function moved() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    painter?.show();
    placeLabels();
    placeScale();
  });
}

/** A length on the ground. */
const distance = (metres) => (metres >= 1000 ? `${short(metres / 1000)} km` : `${short(metres)} m`);

/** A round length on the ground that fits into about a hundred pixels: how many pixels it is, and what it is called. */
function scaleBar(view) {
  const [, lat] = lonlat([view.x, view.y]);
  const metres = (40_075_016.686 * Math.cos((lat * Math.PI) / 180)) / view.scale;
  const wanted = metres * 110;
  const tens = 10 ** Math.floor(Math.log10(wanted));
  const length = [5, 2, 1].find((part) => part * tens <= wanted) * tens;
  return [length / metres, distance(length)];
}
function placeScale() {
  const [width, name] = scaleBar(camera);
  const bar = $("scale").firstElementChild;
  bar.style.width = `${width}px`;
  bar.textContent = name;
}

/** Ranks on the hotspots. Where two would cover one another the lower rank is left out, until the map is nearer. */
const MOST_LABELS = 300;
/** Which of some places are not too near to an earlier one, the first of all being first. */
function apart(places, first) {
  const kept = [];
  const order = places.map((_, at) => at).sort((a, b) => (b === first) - (a === first) || a - b);
  for (const at of order) if (kept.every((other) => Math.abs(places[at][0] - places[other][0]) > 26 || Math.abs(places[at][1] - places[other][1]) > 23)) kept.push(at);
  return new Set(kept);
}
function placeLabels() {
  const layer = layerOf("hotspots");
  const labels = $("labels");
  labels.hidden = !layer?.visible;
  const places = [...labels.children].map((label) => {
    const feature = layer.features[Number(label.dataset.at)];
    const [left, top] = onScreen([feature.box[0], feature.box[3]]);
    const [right, bottom] = onScreen([feature.box[2], feature.box[1]]);
    // On a small hotspot the rank would hide it: it stands above it then.
    const small = right - left < 44 || bottom - top < 44;
    label.style.transform = `translate(${(left + right) / 2}px, ${small ? top - 2 : (top + bottom) / 2}px) translate(-50%, ${small ? -100 : -50}%)`;
    label.classList.toggle("is-chosen", feature.at === scene.chosen);
    return [(left + right) / 2, small ? top - 13 : (top + bottom) / 2];
  });
  const kept = apart(places, [...labels.children].findIndex((label) => Number(label.dataset.at) === scene.chosen));
  [...labels.children].forEach((label, at) => {
    label.hidden = !kept.has(at);
  });
}
function makeLabels() {
  const features = layerOf("hotspots")?.features.filter((feature) => feature.parts.length) ?? [];
  put($("labels"), features.slice(0, MOST_LABELS).map((feature) => el("span", { "data-at": feature.at }, String(valueOf(layerOf("hotspots"), "rank", feature.at)))));
}

/** Mouse, fingers and keys. `pick` is told what was clicked, `point` what lies under the pointer. */
function listen(pick, point) {
  const ground = $("ground");
  const fingers = new Map();
  let dragged = false;
  const at = (event) => {
    const box = ground.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const found = (event) => featureAt(["hotspots", "zones"].map(layerOf).filter((layer) => layer?.visible), placeAt(...at(event)));
  ground.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    ground.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, at(event));
    dragged = fingers.size > 1;
  });
  ground.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) {
      point(found(event), at(event));
      return;
    }
    const now = at(event);
    if (Math.hypot(now[0] - before[0], now[1] - before[1]) < 3 && !dragged) return;
    dragged = true;
    point(null);
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const apart = (a) => Math.max(10, Math.hypot(a[0] - other[0], a[1] - other[1]));
      zoomAt(apart(now) / apart(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
    } else panBy(now[0] - before[0], now[1] - before[1]);
    fingers.set(event.pointerId, now);
  });
  const lift = (event) => {
    if (event.type === "pointerup" && fingers.size === 1 && !dragged) pick(found(event));
    fingers.delete(event.pointerId);
  };
  ground.addEventListener("pointerup", lift);
  ground.addEventListener("pointercancel", lift);
  ground.addEventListener("pointerleave", () => point(null));
  ground.addEventListener("dblclick", (event) => zoomAt(2, ...at(event)));
  ground.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      zoomAt(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0022)), ...at(event));
    },
    { passive: false },
  );
  ground.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[event.key];
    if (step) panBy(...step);
    else if (event.key === "+" || event.key === "=") zoomAt(1.5);
    else if (event.key === "-") zoomAt(1 / 1.5);
    else if (event.key === "0") look(fitted(wholeBox(), size()));
    else return;
    event.preventDefault();
  });
  new ResizeObserver(() => {
    painter?.resize?.();
    moved();
  }).observe(ground);
}

/** The map as a picture for paper: always light, the whole area. */
const PAPER = { map: "#ffffff", street: "#c4c0b6", edge: "#333333", ink: "#000000", line: "#dddddd", card: "#ffffff", mark: "#0b57a4" };
function printed() {
  const [width, height, ratio] = [760, 620, 2];
  const canvas = el("canvas", { width: width * ratio, height: height * ratio });
  const pen = canvas.getContext("2d");
  const view = fitted(wholeBox(), [width, height]);
  paint(pen, width, height, view, (name) => PAPER[name], ratio);
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.font = "bold 13px sans-serif";
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  const layer = layerOf("hotspots");
  const labels = layer?.visible ? [...$("labels").children] : [];
  const places = labels.map((label) => {
    const { box } = layer.features[Number(label.dataset.at)];
    const [x, y] = mercator([(box[0] + box[2]) / 2, box[3]]);
    return [width / 2 + (x - view.x) * view.scale, height / 2 + (y - view.y) * view.scale - 12];
  });
  const kept = apart(places, -1);
  labels.forEach((label, at) => {
    if (!kept.has(at)) return;
    const [px, py] = places[at];
    pen.beginPath();
    pen.arc(px, py, 10, 0, 2 * Math.PI);
    pen.fillStyle = "#fff";
    pen.fill();
    pen.lineWidth = 1.2;
    pen.setLineDash([]);
    pen.strokeStyle = "#000";
    pen.stroke();
    pen.fillStyle = "#000";
    pen.fillText(label.textContent, px, py + 0.5);
  });
  const [length, name] = scaleBar(view);
  pen.fillStyle = "#000";
  pen.fillRect(12, height - 14, length, 3);
  pen.textAlign = "left";
  pen.fillText(name, 12, height - 24);
  return canvas.toDataURL("image/png");
}
