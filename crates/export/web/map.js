// The map: one camera and one set of layers, painted on a canvas at once and with WebGL as soon as that is there.

const scene = {
  layers: [],
  density: null,
  /** By layer, which of its features stand out. */
  marked: new Map(),
  /** The classes of the list and the class of each feature, other than its own while a stretch of time is looked at. */
  classes: null,
};
const camera = { x: 0, y: 0, scale: 512 };
let origin = [0, 0];
let painter = null;
const NEAREST = 2 ** 29;
/** How opaque the density is: the hotspots are to be seen first. */
const DENSITY = 0.6;
/** How large a place is drawn, in pixels. */
const DOT = 6;

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const layerOf = (name) => scene.layers.find((layer) => layer.name === name);
const listed = () => layerOf(data.listed);
/** The lowest first: what lies beneath, what is told, the study area. */
const upwards = () => {
  const [beneath, edge] = ["basemap", "study_area"].map(layerOf);
  return [beneath, ...scene.layers.filter((layer) => layer !== beneath && layer !== edge).reverse(), edge].filter(Boolean);
};

/** The layers as they are drawn. */
function setScene(density) {
  for (const layer of data.layers) {
    const features = decoded(layer);
    const has = [0, 1, 2].map((kind) => features.some((feature) => feature.kind === kind && feature.parts.length));
    scene.layers.push({ ...layer, features, has, visible: layer.name !== "zones", only: null, paths: null });
  }
  if (density) {
    const [west, south, east, north] = density.bounds;
    scene.density = { name: "density", canvas: densityCanvas(density), box: density.bounds, visible: true, corners: [mercator([west, north]), mercator([east, south])] };
  }
  const box = wholeBox();
  origin = mercator([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2]);
}

function wholeBox() {
  const boxes = upwards().reverse().map((layer) => around(layer.features.map((feature) => feature.box)));
  const box = boxes.find((box) => Number.isFinite(box[0])) ?? scene.density?.box;
  return box ?? [-1, -1, 1, 1];
}

const isListed = (layer) => layer.name === data.listed;
const classOf = (layer, feature) => (isListed(layer) && scene.classes ? scene.classes.class[feature.at] : feature.cls);
const classesOf = (layer) => (isListed(layer) && scene.classes ? scene.classes : layer.classes);
const entriesOf = (layer) => classesOf(layer).entries;
/** The features that are shown: all, or only some. */
const shownOf = (layer) => (layer.only ? layer.features.filter((feature) => layer.only.has(feature.at)) : layer.features);
const markedOf = (layer) => [...(scene.marked.get(layer.name) ?? [])].map((at) => layer.features[at]);

/** How a layer is drawn: how opaque it is filled, if at all, and the colour, width, opacity and dashes of its lines. */
function manner(layer) {
  if (layer.name === "basemap") return { fill: 0, line: ["street", 1, 1] };
  if (layer.name === "study_area") return { fill: 0, line: ["edge", 1.6, 1, [6, 4]] };
  if (isListed(layer)) return { fill: 0.6, line: ["ink", 2.2, 1] };
  if (!layer.classes.entries.some((entry) => entry.fill)) return { fill: 0, line: ["edge", layer.has[2] ? 0.7 : 1.4, 0.75] };
  // The edges of very many squares would hide what is in them.
  return { fill: 0.75, line: ["edge", 0.4, layer.squares ? 0 : 0.6] };
}

/** One path per class, in map units around the origin. */
function pathsOf(layer) {
  if (layer.paths) return layer.paths;
  layer.paths = new Map();
  for (const feature of shownOf(layer)) {
    if (!feature.kind) continue;
    const cls = classOf(layer, feature) ?? -1;
    if (!layer.paths.has(cls)) layer.paths.set(cls, new Path2D());
    trace(layer.paths.get(cls), feature);
  }
  return layer.paths;
}
/** Places as discs that are as large on every scale. */
function discs(features, radius) {
  const path = new Path2D();
  for (const position of features.filter((feature) => !feature.kind).flatMap((feature) => feature.parts.flat(2))) {
    const [x, y] = mercator(position).map((at, axis) => (at - origin[axis]) * WORLD);
    path.moveTo(x + radius, y);
    path.arc(x, y, radius, 0, 2 * Math.PI);
  }
  return path;
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
  pen.lineJoin = "round";
  const draw = (layer) => {
    const { fill, line: [tint, wide, opacity, dash] } = manner(layer);
    for (const [cls, path] of pathsOf(layer)) {
      if (fill) {
        pen.globalAlpha = fill;
        pen.fillStyle = entriesOf(layer)[cls]?.fill ?? ink("line");
        pen.fill(path, "evenodd");
      }
      pen.globalAlpha = opacity;
      if (opacity) stroke(path, ink(tint), wide, dash);
      pen.globalAlpha = 1;
    }
    if (!layer.has[0]) return;
    const beneath = layer.name === "basemap";
    for (const cls of new Set(shownOf(layer).map((feature) => classOf(layer, feature) ?? -1))) {
      const path = discs(shownOf(layer).filter((feature) => (classOf(layer, feature) ?? -1) === cls), (beneath ? 1.5 : DOT) / k);
      pen.fillStyle = beneath ? ink("street") : (entriesOf(layer)[cls]?.fill ?? ink("line"));
      pen.fill(path);
      if (!beneath) stroke(path, ink("ink"), 1.6);
    }
  };
  const [lowest, ...others] = upwards();
  if (lowest?.name === "basemap" && lowest.visible) draw(lowest);
  if (scene.density?.visible) {
    const [[left, top], [right, bottom]] = scene.density.corners;
    const place = (x, from) => (x - from) * WORLD;
    pen.globalAlpha = DENSITY;
    pen.drawImage(scene.density.canvas, place(left, origin[0]), place(top, origin[1]), (right - left) * WORLD, (bottom - top) * WORLD);
    pen.globalAlpha = 1;
  }
  for (const layer of lowest?.name === "basemap" ? others : upwards()) if (layer.visible) draw(layer);
  for (const layer of upwards()) {
    const features = layer.visible || isListed(layer) ? markedOf(layer) : [];
    if (!features.length) continue;
    const path = discs(features, (DOT + 1) / k);
    for (const feature of features) if (feature.kind) trace(path, feature);
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

/** Names on what is listed. Where two would cover one another the later one is left out, until the map is nearer. */
const MOST_LABELS = 300;
/**
 * Which labels, each in its place and as wide as it is, cover no earlier one and no dot of another: `first` before all, then the short
 * ones, then in their order.
 */
function apart(places, first, dots) {
  const kept = [];
  const order = places.map((_, at) => at).sort((a, b) => (b === first) - (a === first) || places[a][2] - places[b][2] || a - b);
  const isFree = ([x, y, wide], [otherX, otherY, otherWide], high) => Math.abs(x - otherX) > (wide + otherWide) / 2 + 3 || Math.abs(y - otherY) > high;
  for (const at of order) {
    const free = kept.every((other) => isFree(places[at], places[other], 23)) && dots.every((dot, of) => of === at || isFree(places[at], [...dot, 2 * DOT], 11 + DOT));
    if (free || at === first) kept.push(at);
  }
  return new Set(kept);
}
function placeLabels() {
  const layer = listed();
  const labels = $("labels");
  labels.hidden = !layer?.visible;
  const dots = [];
  const places = [...labels.children].map((label) => {
    const feature = layer.features[Number(label.dataset.at)];
    const [left, top] = onScreen([feature.box[0], feature.box[3]]);
    const [right, bottom] = onScreen([feature.box[2], feature.box[1]]);
    // On a small one the name would hide it: it stands above it then.
    const small = right - left < 44 || bottom - top < 44;
    const above = feature.kind ? 2 : DOT + 3;
    label.style.transform = `translate(${(left + right) / 2}px, ${small ? top - above : (top + bottom) / 2}px) translate(-50%, ${small ? -100 : -50}%)`;
    label.classList.toggle("is-chosen", feature.at === state.chosen);
    if (!feature.kind) dots.push([left, top]);
    return [(left + right) / 2, small ? top - 11 - above : (top + bottom) / 2, widths.get(label)];
  });
  const kept = apart(places, [...labels.children].findIndex((label) => Number(label.dataset.at) === state.chosen), dots);
  [...labels.children].forEach((label, at) => {
    label.hidden = !kept.has(at);
  });
}
/** How wide each label is: measured once. */
const widths = new Map();
function makeLabels() {
  const layer = listed();
  const features = layer?.label ? layer.features.filter((feature) => feature.parts.length) : [];
  put($("labels"), features.slice(0, MOST_LABELS).map((feature) => el("span", { "data-at": feature.at }, String(valueOf(layer, layer.label, feature.at) ?? ""))));
  for (const label of $("labels").children) widths.set(label, label.offsetWidth);
}

/** The layers that answer to a pointer, the one that is asked first first: places, what is listed, the others. */
const pickable = () => {
  const layers = scene.layers.filter((layer) => layer.visible && !["study_area", "basemap"].includes(layer.name));
  const rank = (layer) => (layer.has[0] ? 0 : isListed(layer) ? 1 : 2);
  return layers.sort((a, b) => rank(a) - rank(b));
};

/** Mouse, fingers and keys. `pick` is told what was clicked, `point` what lies under the pointer. */
function listen(pick, point) {
  const ground = $("ground");
  const fingers = new Map();
  let dragged = false;
  const at = (event) => {
    const box = ground.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const found = (event) => featureAt(pickable(), placeAt(...at(event)));
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
  const layer = listed();
  const labels = layer?.visible ? [...$("labels").children] : [];
  const dots = [];
  const places = labels.map((label) => {
    const { box, kind } = layer.features[Number(label.dataset.at)];
    const [x, y] = mercator([(box[0] + box[2]) / 2, box[3]]);
    const [px, py] = [width / 2 + (x - view.x) * view.scale, height / 2 + (y - view.y) * view.scale];
    if (!kind) dots.push([px, py]);
    return [px, py - (kind ? 12 : 19), Math.max(20, pen.measureText(label.textContent).width + 10)];
  });
  const kept = apart(places, -1, dots);
  labels.forEach((label, at) => {
    if (!kept.has(at)) return;
    const [px, py, wide] = places[at];
    pen.beginPath();
    pen.arc(px - wide / 2 + 10, py, 10, Math.PI / 2, 1.5 * Math.PI);
    pen.arc(px + wide / 2 - 10, py, 10, -Math.PI / 2, Math.PI / 2);
    pen.closePath();
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
