// Ties the parts together: one choice of hotspot, stretch of time, language and colours for all of them.

function header() {
  const { used } = totals();
  const parts = [
    data.period ? period(data.period) : null,
    t("{n} incidents", { n: number(used) }),
    isNumber(areaKm2()) ? `${short(areaKm2())} km²` : null,
    data.attribution ? t("Data: {source}", { source: data.attribution }) : null,
  ];
  $("subtitle").textContent = parts.filter(Boolean).join(" · ");
  $("foot").textContent = [t("Made with {tool} {version}.", data), t("This page asks no other computer for anything and holds no place of a single incident."), data.attribution ? t("Data: {source}", { source: data.attribution }) : ""].join(" ");
}

/** The switches of the layers, each with its legend. */
const LAYER_NAMES = () => ({ hotspots: t("Hotspots"), zones: t("Zones tested"), density: t("Density of incidents"), study_area: t("Study area"), basemap: t("Streets and shapes") });

function layerSwitches() {
  const names = LAYER_NAMES();
  const parts = ["hotspots", "zones", "density", "study_area", "basemap"].flatMap((name) => {
    const target = name === "density" ? scene.density : layerOf(name);
    if (!target || (name !== "density" && !target.features.length)) return [];
    const box = el("input", {
      type: "checkbox",
      id: `layer-${name}`,
      on: {
        change: () => {
          target.visible = box.checked;
          legends();
          painter.changed();
          moved();
        },
      },
    });
    box.checked = target.visible;
    return [el("label", {}, box, ` ${names[name]}`), el("div", { id: `legend-${name}` })];
  });
  put($("layers"), $("layers").querySelector("legend"), parts);
  legends();
}

function legends() {
  for (const layer of scene.layers) {
    const place = $(`legend-${layer.name}`);
    if (!place) continue;
    const classes = layer.name === "hotspots" && scene.classes ? data.over_time.classes : layer.classes;
    const used = new Set(layer.features.map((feature) => classOf(layer, feature)));
    const shown = classes.entries.map((entry, at) => [entry, at]).filter(([, at]) => used.has(at));
    const plain = layer.name === "basemap" || layer.name === "study_area";
    put(place, !layer.visible || plain ? null : [el("small", {}, said(classes.title)), el("ul", {}, shown.map(([entry]) => el("li", {}, swatch(entry.fill), said(entry.label))))]);
  }
  const place = $("legend-density");
  if (place) put(place, scene.density.visible ? [el("small", {}, said(data.density.unit)), el("ul", {}, data.density.stops.map(([fill, label], at) => el("li", {}, swatch(at || data.density.colours[0][1] > 200 ? fill : "transparent"), said(label))))] : null);
}

function timeSlider() {
  const stretches = data.trend?.stretches ?? [];
  if (!data.over_time || stretches.length < 2) return;
  $("over-time").hidden = false;
  const slider = $("stretch");
  slider.max = String(stretches.length);
  slider.addEventListener("input", () => {
    state.stretch = Number(slider.value) ? Number(slider.value) - 1 : null;
    const count = hotspots().ids.length;
    scene.classes = state.stretch === null ? null : data.over_time.class.slice(state.stretch * count, (state.stretch + 1) * count);
    hotspots().paths = null;
    sayStretch();
    legends();
    painter.changed();
    moved();
  });
}
function sayStretch() {
  const stretch = state.stretch === null ? null : data.trend.stretches[state.stretch];
  const text = stretch
    ? t("{stretch}: {n} incidents in hotspots, {all} in all{partial}", { stretch: stretchName(stretch.period), n: number(stretch.by.reduce((a, b) => a + b, 0)), all: number(stretch.all), partial: stretch.whole ? "" : ` (${t("not covered whole")})` })
    : t("Whole period");
  $("stretch-said").textContent = text;
  $("stretch").setAttribute("aria-valuetext", text);
}

function mapNote() {
  const notes = [];
  for (const layer of scene.layers)
    if (layer.squares) notes.push(t("{layer}: {n} features are more than a page can draw. Here they are added up in squares of {side}: counts and areas are summed, of other numbers the mean is taken, of words the most frequent that stands out. The other files hold each of them.", { layer: LAYER_NAMES()[layer.name] ?? layer.title, n: number(layer.squares.features), side: distance(layer.squares.side) }));
  for (const layer of scene.layers)
    if (layer.left_out) notes.push(t("{layer}: {n} features are left out here, those that say least; a page draws {most} at most. The other files hold all of them.", { layer: LAYER_NAMES()[layer.name] ?? layer.title, n: number(layer.left_out), most: number(data.most_features) }));
  if (!data.library) notes.push(t("This brasa was built without its map library; the page draws the map itself, without WebGL."));
  const labels = hotspots().ids.length - MOST_LABELS;
  if (labels > 0) notes.push(t("Only the first {n} hotspots carry their rank on the map.", { n: number(MOST_LABELS) }));
  $("map-note").textContent = notes.join(" ");
  $("map-note").hidden = !notes.length;
}

/** A hotspot is chosen in the list or on the map, or none is. */
function choose(at, from) {
  state.chosen = at;
  scene.chosen = at;
  const { scrollTop } = $("hotspots");
  hotspotTable();
  $("hotspots").scrollTop = scrollTop;
  chosenCard();
  weekWheel($("week").lastElementChild);
  trendLines($("trend").lastElementChild);
  painter?.changed();
  if (from === "list") {
    look(fitted(at === null ? wholeBox() : hotspots().features[at].box, size(), at === null ? undefined : wholeCamera().scale * 6));
    const button = $("hotspots").querySelector(`tr[data-at="${at}"] th button`);
    button?.focus({ preventScroll: true });
  } else {
    const row = $("hotspots").querySelector("tr.is-chosen");
    const place = $("hotspots");
    if (row) place.scrollTop = row.offsetTop - place.clientHeight / 2;
    moved();
  }
}
const wholeCamera = () => fitted(wholeBox(), size());

/** What lies under the pointer. */
function point(found, at) {
  const tip = $("tip");
  tip.hidden = !found;
  $("ground").style.cursor = found ? "pointer" : "grab";
  if (!found) return;
  const { layer } = found;
  const get = (name) => valueOf(layer, name, found.at);
  if (layer.name === "hotspots") put(tip, el("b", {}, nameOf(found.at)), reasons(found.at)[0]);
  else if (layer.squares) {
    const entry = layer.classes.entries[layer.class[found.at]];
    const parts = [entry && said(entry.label), t("{n} zones", { n: number(get("features")) }), isNumber(get("count")) && t("{n} incidents", { n: short(get("count")) })];
    put(tip, el("b", {}, t("Square of {side}", { side: distance(layer.squares.side) })), parts.filter(Boolean).join(" · "));
  } else {
    const entry = layer.classes.entries[layer.class[found.at]];
    put(tip, el("b", {}, t("Zone {name}", { name: get("zone") ?? "" })), `${entry ? said(entry.label) : ""}. ${t("{n} incidents", { n: short(get("count")) })}, z = ${number(get("z"), 1)}, ${equals(get("q"))}`);
  }
  const [width, height] = size();
  tip.style.transform = `translate(${Math.max(4, Math.min(at[0] + 14, width - tip.offsetWidth - 8))}px, ${Math.max(4, Math.min(at[1] + 14, height - tip.offsetHeight - 8))}px)`;
}

function say() {
  speak();
  $("map").setAttribute("role", "group");
  $("map").setAttribute("aria-label", t("Map"));
  $("ground").setAttribute("role", "application");
  $("ground").setAttribute("tabindex", "0");
  $("ground").setAttribute("aria-label", t("Map of the hotspots; arrow keys move it, plus and minus zoom, 0 shows the whole area. The list says the same in words."));
  $("printed").alt = t("Map of the hotspots");
  header();
  findings();
  layerSwitches();
  sayStretch();
  mapNote();
  hotspotTable();
  chosenCard();
  weekWheel($("week").lastElementChild);
  trendLines($("trend").lastElementChild);
  concentrationCurve($("concentration").lastElementChild);
  howSure($("sure").lastElementChild);
  rows($("rows").lastElementChild);
  caveats($("caveats").lastElementChild);
  made($("made").lastElementChild);
  moved();
}

function setTheme(wanted) {
  const dark = wanted === "dark" || (wanted === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  painter?.changed();
}

function start() {
  setTheme("auto");
  $("theme").addEventListener("change", () => setTheme($("theme").value));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => setTheme($("theme").value));
  $("lang").value = state.lang;
  $("lang").addEventListener("change", () => {
    state.lang = $("lang").value;
    say();
  });
  $("licence").hidden = !data.library;
  setScene();
  makeLabels();
  Object.assign(camera, wholeCamera());
  painter = canvasPainter($("ground"));
  timeSlider();
  say();
  listen((found) => {
    if (!found) choose(null, "map");
    else if (found.layer.name === "hotspots") choose(found.at, "map");
  }, point);
  $("nearer").addEventListener("click", () => zoomAt(1.6));
  $("farther").addEventListener("click", () => zoomAt(1 / 1.6));
  $("whole").addEventListener("click", () => look(wholeCamera()));
  document.addEventListener("keydown", (event) => event.key === "Escape" && state.chosen !== null && choose(null, "map"));
  $("print").addEventListener("click", () => window.print());
  const toPaper = () => {
    $("printed").src = printed();
  };
  window.addEventListener("beforeprint", toPaper);
  painter.show();
  requestAnimationFrame(() => {
    document.documentElement.dataset.map = painter.kind;
    document.documentElement.dataset.ready = "true";
    performance.mark("ready");
    upgrade(toPaper);
  });
}

/** Once the page can be used: the picture for paper, and WebGL where a graphics card draws it. `#map=webgl` and `#map=canvas` decide otherwise. */
function upgrade(toPaper) {
  setTimeout(toPaper, 50);
  const wanted = /map=(webgl|canvas)/.exec(location.hash)?.[1];
  // The library ends the world at the 180th meridian; the canvas does not.
  if (!data.library || data.middle || wanted === "canvas") return;
  const probe = el("canvas").getContext("webgl2", { failIfMajorPerformanceCaveat: wanted !== "webgl" });
  if (!probe) return;
  probe.getExtension("WEBGL_lose_context")?.loseContext();
  setTimeout(() => {
    // The library lies in the page as text, so that a page without WebGL need not read it. The content policy knows its digest.
    document.head.append(el("script", {}, $("library").textContent));
    glPainter($("ground")).then(usePainter, (why) => console.info(String(why)));
  }, 100);
}

start();
