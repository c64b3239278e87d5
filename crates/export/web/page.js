// Ties the parts together: one choice of a feature, language and colours for all of them. What differs from one kind of page to the
// other is in `own`.

function header() {
  const { used } = totals();
  const parts = [
    data.period ? period(data.period) : null,
    t("{n} incidents", { n: number(used) }),
    isNumber(areaKm2()) ? `${short(areaKm2())} km²` : null,
    data.attribution ? t("Data: {source}", { source: data.attribution }) : null,
  ];
  $("subtitle").textContent = parts.filter(Boolean).join(" · ");
  $("foot").textContent = [t("Made with {tool} {version}.", data), own.private(), data.attribution ? t("Data: {source}", { source: data.attribution }) : ""].join(" ");
}

/** What a layer is called. */
const titleOf = (layer) => ({ basemap: t("Streets and shapes"), ...own.titles() })[layer.name] ?? said(layer.title);

/** Not told but drawn for the eye. */
const isGround = (layer) => ["study_area", "basemap"].includes(layer.name);

/** The switches of the layers, each with its legend: what is told, then the ground. */
function layerSwitches() {
  const drawn = scene.layers.filter((layer) => layer.features.length);
  const layers = [...drawn.filter((layer) => !isGround(layer)), scene.density, ...drawn.filter(isGround)].filter(Boolean);
  const parts = layers.flatMap((layer) => {
    const box = el("input", {
      type: "checkbox",
      id: `layer-${layer.name}`,
      on: {
        change: () => {
          layer.visible = box.checked;
          legends();
          painter.changed();
          moved();
        },
      },
    });
    box.checked = layer.visible;
    const title = layer === scene.density ? t("Density of incidents") : titleOf(layer);
    return [el("label", {}, box, " ", isAlike(layer) ? sample(layer, layer.classes.entries[0].fill) : null, ` ${title}`), el("div", { id: `legend-${layer.name}` })];
  });
  put($("layers"), $("layers").querySelector("legend"), parts);
  legends();
}

/** Whether all of a layer is drawn alike: its legend is one sign, which stands at its name. */
const isAlike = (layer) => layer.classes?.entries.length === 1 && !layer.classes.column && !own.legend?.(layer) && layer.name !== "basemap";

/** A place, a line or an area as it is drawn. */
function sample(layer, fill) {
  const isDashed = Boolean(manner(layer).line[3]);
  const made = el("span", { class: `swatch${isDashed ? " is-edge" : layer.has[2] ? (fill ? "" : " is-hollow") : layer.has[1] ? " is-line" : " is-dot"}` });
  if (fill) made.style.background = fill;
  return made;
}

function legends() {
  for (const layer of scene.layers) {
    const place = $(`legend-${layer.name}`);
    if (!place) continue;
    const { title, entries } = classesOf(layer);
    const used = new Set(layer.features.map((feature) => classOf(layer, feature)));
    const lines = own.legend?.(layer) ?? entries.filter((_, at) => used.has(at)).map((entry) => [sample(layer, entry.fill), said(entry.label)]);
    put(place, !layer.visible || isGround(layer) || isAlike(layer) || !lines.length ? null : [el("small", {}, said(title)), el("ul", {}, lines.map(([mark, text]) => el("li", {}, mark, text)))]);
  }
  const place = $("legend-density");
  if (!place) return;
  const { unit, stops, colours } = own.density;
  put(place, scene.density.visible ? [el("small", {}, said(unit)), el("ul", {}, stops.map(([fill, label], at) => el("li", {}, swatch(at || colours[0][1] > 200 ? fill : "transparent"), said(label))))] : null);
}

function mapNote() {
  const notes = own.mapNotes();
  for (const layer of scene.layers)
    if (layer.squares) notes.push(t("{layer}: {n} features are more than a page can draw. Here they are added up in squares of {side}: counts and areas are summed, of other numbers the mean is taken, of words the most frequent that stands out. The other files hold each of them.", { layer: titleOf(layer), n: number(layer.squares.features), side: distance(layer.squares.side) }));
  for (const layer of scene.layers)
    if (layer.left_out) notes.push(t("{layer}: {n} features are left out here, those that say least; a page draws {most} at most. The other files hold all of them.", { layer: titleOf(layer), n: number(layer.left_out), most: number(data.most_features) }));
  if (!data.library) notes.push(t("This brasa was built without its map library; the page draws the map itself, without WebGL."));
  if ((listed()?.ids.length ?? 0) > MOST_LABELS) notes.push(t("Only the first {n} of the list carry their names on the map.", { n: number(MOST_LABELS) }));
  $("map-note").textContent = notes.join(" ");
  $("map-note").hidden = !notes.length;
}

/** What stands out on the map: what is chosen, and what the page of this kind adds. */
function mark() {
  scene.marked = new Map([[data.listed, state.chosen === null ? [] : [state.chosen]], ...own.marked()]);
}

/** A feature is chosen in the list or on the map, or none is. */
function choose(at, from) {
  state.chosen = at;
  mark();
  const { scrollTop } = $("listed");
  listTable();
  $("listed").scrollTop = scrollTop;
  chosenCard();
  fillSections();
  painter?.changed();
  if (from === "list") {
    look(fitted(at === null ? wholeBox() : listed().features[at].box, size(), at === null ? undefined : wholeCamera().scale * 6));
    const button = $("listed").querySelector(`tr[data-at="${at}"] th button`);
    button?.focus({ preventScroll: true });
  } else {
    const row = $("listed").querySelector("tr.is-chosen");
    const place = $("listed");
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
  if (layer.squares) {
    const get = (name) => valueOf(layer, name, found.at);
    const entry = layer.classes.entries[layer.class[found.at]];
    const parts = [entry && said(entry.label), t("{n} zones", { n: number(get("features")) }), isNumber(get("count")) && t("{n} incidents", { n: short(get("count")) })];
    put(tip, el("b", {}, t("Square of {side}", { side: distance(layer.squares.side) })), parts.filter(Boolean).join(" · "));
  } else {
    const [name, text] = own.tip(layer, found.at);
    put(tip, el("b", {}, name), text);
  }
  const [width, height] = size();
  tip.style.transform = `translate(${Math.max(4, Math.min(at[0] + 14, width - tip.offsetWidth - 8))}px, ${Math.max(4, Math.min(at[1] + 14, height - tip.offsetHeight - 8))}px)`;
}

/** Lays the sections of this kind of page where they belong. */
function laySections() {
  for (const { id, place } of own.sections) {
    const section = el("section", { id, "aria-labelledby": `${id}-title` }, el("h2", { id: `${id}-title` }), el("div"));
    if (place === "charts") $("charts").append(section);
    else $("caveats").before(section);
  }
}
function fillSections() {
  for (const { id, title, fill } of own.sections) {
    $(`${id}-title`).textContent = title();
    fill($(id).lastElementChild);
  }
}

function findings() {
  put($("findings"), own.findings().map(([big, small]) => el("li", {}, big && el("strong", {}, big), el("span", {}, small))));
}

function caveats(place) {
  put(place, el("ul", { class: "notes" }, own.caveats().map((text) => el("li", {}, text))));
}

function say() {
  speak();
  $("map").setAttribute("role", "group");
  $("map").setAttribute("aria-label", t("Map"));
  $("ground").setAttribute("role", "application");
  $("ground").setAttribute("tabindex", "0");
  $("ground").setAttribute("aria-label", t("Map; arrow keys move it, plus and minus zoom, 0 shows the whole area. The list says the same in words."));
  $("printed").alt = t("Map");
  $("list-title").textContent = own.heading();
  $("list-hint").textContent = own.hint();
  header();
  findings();
  layerSwitches();
  own.say();
  mapNote();
  listTable();
  chosenCard();
  fillSections();
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
  setScene(own.density);
  makeLabels();
  laySections();
  Object.assign(camera, wholeCamera());
  painter = canvasPainter($("ground"));
  own.start();
  mark();
  say();
  listen((found) => {
    if (!found) choose(null, "map");
    else if (isListed(found.layer)) choose(found.at, "map");
    else own.pick(found);
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
