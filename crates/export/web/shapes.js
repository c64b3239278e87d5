// Layers in the square of web maps, and which feature lies where.

/** Map units: pixels at this many to the whole world, from the middle of the data. */
const WORLD = 2 ** 28;

const mercator = ([lon, lat]) => [lon / 360, -Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360)) / (2 * Math.PI)];
const lonlat = ([x, y]) => [x * 360, (Math.atan(Math.exp(-y * 2 * Math.PI)) * 360) / Math.PI - 90];

/** A longitude at most half a turn from Greenwich. */
const wrapped = (lon) => (lon > 180 ? lon - 360 : lon < -180 ? lon + 360 : lon);

/** Features with the positions of their lines, in degrees. */
function decoded(layer) {
  return layer.shapes.map(([kind, parts], at) => {
    const box = [Infinity, Infinity, -Infinity, -Infinity];
    const unpacked = parts.map((lines) =>
      lines.map((steps) => {
        const line = [];
        let [x, y] = [0, 0];
        for (let i = 0; i < steps.length; i += 2) {
          x += steps[i];
          y += steps[i + 1];
          const [lon, lat] = [x / layer.scale + data.middle, y / layer.scale];
          line.push([lon, lat]);
          box[0] = Math.min(box[0], lon);
          box[1] = Math.min(box[1], lat);
          box[2] = Math.max(box[2], lon);
          box[3] = Math.max(box[3], lat);
        }
        if (kind === 2) line.push(line[0]);
        return line;
      }),
    );
    return { at, kind, parts: unpacked, box, cls: layer.class[at] };
  });
}

/** The value of a feature in a column. */
function valueOf(layer, name, at) {
  const column = layer.columns.find((column) => column.name === name);
  if (!column) return null;
  const { values } = column;
  return Array.isArray(values) ? values[at] : values.at[at] === null ? null : values.words[values.at[at]];
}

/** So near, in pixels, a pointer finds a place or a line. */
const NEAR = [9, 5];

/** The topmost feature of some layers at a place: of overlapping areas the smallest, of places and lines the nearest. */
function featureAt(layers, [lon, lat]) {
  const [x, y] = mercator([lon, lat]);
  for (const layer of layers) {
    let found = null;
    for (const feature of shownOf(layer)) {
      const [west, south, east, north] = feature.box;
      const reach = (NEAR[feature.kind] ?? 0) / camera.scale;
      const degrees = reach * 360;
      if (lon < west - degrees || lon > east + degrees || lat < south - degrees || lat > north + degrees) continue;
      const area = feature.kind === 2;
      const size = area ? (east - west) * (north - south) : away(feature, x, y);
      if ((!found || size < found.size) && (area ? feature.parts.some((rings) => inside(rings, lon, lat)) : size <= reach)) found = { layer, at: feature.at, size };
    }
    if (found) return found;
  }
  return null;
}

/** How far the places and lines of a feature are. */
function away(feature, x, y) {
  let least = Infinity;
  for (const line of feature.parts.flat()) {
    const places = line.map(mercator);
    places.forEach(([bx, by], at) => {
      const [ax, ay] = places[Math.max(0, at - 1)];
      const [dx, dy] = [bx - ax, by - ay];
      const part = dx || dy ? Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy))) : 0;
      least = Math.min(least, Math.hypot(x - ax - part * dx, y - ay - part * dy));
    });
  }
  return least;
}

/** Whether a place lies in rings, holes left out: it crosses their edges an odd number of times. */
function inside(rings, lon, lat) {
  let odd = false;
  for (const ring of rings) {
    for (let i = 1; i < ring.length; i++) {
      const [[ax, ay], [bx, by]] = [ring[i - 1], ring[i]];
      if (ay > lat !== by > lat && lon < ((bx - ax) * (lat - ay)) / (by - ay) + ax) odd = !odd;
    }
  }
  return odd;
}

const around = (boxes) =>
  boxes
    .filter((box) => box[0] <= box[2])
    .reduce((all, box) => [Math.min(all[0], box[0]), Math.min(all[1], box[1]), Math.max(all[2], box[2]), Math.max(all[3], box[3])], [
      Infinity,
      Infinity,
      -Infinity,
      -Infinity,
    ]);

/** The density as a canvas. */
function densityCanvas(density) {
  const canvas = el("canvas", { width: density.nx, height: density.ny });
  const pen = canvas.getContext("2d");
  const image = pen.createImageData(density.nx, density.ny);
  const colours = density.colours.map(([hex, alpha]) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)).concat(alpha));
  const levels = new Map([...density.letters].map((letter, at) => [letter.charCodeAt(0), at]));
  for (let i = 0; i < density.pixels.length; i++) {
    const level = levels.get(density.pixels.charCodeAt(i));
    if (level) image.data.set(colours[level - 1], 4 * i);
  }
  pen.putImageData(image, 0, 0);
  return canvas;
}
