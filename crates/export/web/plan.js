// What only a page of a plan says: what it comes to, what one more buys, and who is where when.

const plan = data.plan;
const { patrol } = plan;
/** Which unit and which shift the timetable shows; no unit is all of them. */
const shown = { unit: patrol?.tours[0]?.unit ?? null, shift: patrol?.tours[0]?.shift ?? 0 };

/** `Place 7`, where a name is a number alone. */
const placeName = (title, name) => (/^\d+$/.test(name) ? `${title} ${name}` : name);
const nameColumn = () => listed().columns[0];
const nameOf = (at) => placeName(said(nameColumn().title), String(listedValue(nameColumn().name, at) ?? at + 1));
const areaName = (area) => placeName(t("Place"), patrol.areas[area] ?? "");

/** What a value of a column looks like, its unit apart. Found out once: the pointer asks with each move. */
const showers = new Map();
function shower(layer, column) {
  if (!showers.has(column)) showers.set(column, showerOf(layer, column));
  return showers.get(column);
}
function showerOf(layer, { name, unit }) {
  if (unit.en === "share") return percent;
  // A word that decides how a feature is drawn is said as in the legend.
  if (layer.classes.column === name && layer.classes.entries.length) {
    const values = layer.ids.map((_, at) => valueOf(layer, name, at));
    if (values.some((value) => typeof value === "string"))
      return (value) => {
        const entry = layer.classes.entries[layer.class[values.indexOf(value)]];
        return entry ? said(entry.label) : (value ?? "–");
      };
  }
  const show = figures(layer.ids.map((_, at) => valueOf(layer, name, at)));
  return (value) => (isNumber(value) ? show(value) : (value ?? "–"));
}
/** Numbers that stand beneath one another, with as many decimals as the largest of them wants. */
function figures(values) {
  const known = values.filter(isNumber);
  const most = known.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const digits = known.every(Number.isInteger) || most >= 1000 ? 0 : most >= 100 ? 1 : 2;
  return (value) => number(value, digits);
}
/** `Cost (km²)`; just `Visits wanted`, not `Visits wanted (visits)`. */
const withUnit = ({ title, unit }) => {
  const [words, sign] = [said(title), unit.en === "share" ? "" : said(unit)];
  return sign && !`${words} `.toLowerCase().startsWith(`${sign} `.toLowerCase()) ? `${words} (${sign})` : words;
};

const columns = () =>
  listed().columns.map((column) => {
    const values = listed().ids.map((_, at) => listedValue(column.name, at));
    return { name: column.name, title: withUnit(column), n: values.some(isNumber), show: shower(listed(), column) };
  });

/** What lies under the pointer, in a few words: its name, and the values that matter most. */
function tip(layer, at) {
  if (layer.name === "routes" && patrol) {
    const tour = patrol.tours[layer.ids[at] - 1];
    return [unitName(tour.unit), `${shiftName(tour.shift)} · ${summary(tour)}`];
  }
  const [first, ...others] = layer.columns.map((column) => [withUnit(column), shower(layer, column)(valueOf(layer, column.name, at))]);
  const [title] = layer.columns;
  const name = first ? placeName(said(title.title), String(first[1])) : titleOf(layer);
  return [name, others.slice(0, 3).map((pair) => pair.join(": ")).join(" · ")];
}

// Who is where when.

const unitName = (unit) => t("Unit {n}", { n: number(unit + 1) });
/** Clocks of the place: seconds since they showed 1970-01-01T00:00:00. */
const clock = (seconds) => new Date(seconds * 1000);
const hourOf = (seconds) => clock(seconds).toISOString().slice(11, 16);
const dayOf = (seconds) => date(clock(seconds), { weekday: "short", month: "short", day: "numeric" });
const spanOf = ([from, to]) => `${hourOf(from)}–${hourOf(to)}`;
const shiftName = (shift) => {
  const [from] = patrol.shifts[shift];
  return `${date(clock(from), { weekday: "short", year: "numeric", month: "short", day: "numeric" })}, ${spanOf(patrol.shifts[shift])}`;
};
const visitsOf = (tour) => tour.stops.filter(([what]) => typeof what === "number");
const kilometres = (metres) => `${number(metres / 1000, 1)} km`;
const wayOf = (tour) => tour.stops.reduce((all, [, , , metres]) => all + metres, 0);
function summary(tour) {
  const count = visitsOf(tour).length;
  return `${count === 1 ? t("1 visit") : t("{n} visits", { n: number(count) })} · ${kilometres(wayOf(tour))}`;
}
function stopName(tour, what) {
  if (typeof what === "number") return areaName(what);
  if (what === "break") return t("Break");
  const depot = patrol.depots[patrol.depot_of[tour.unit]] ?? "";
  return `${what === "start" ? t("Start") : t("End")}: ${placeName(t("Depot"), depot)}`;
}
const inShift = () => patrol.tours.filter((tour) => tour.shift === shown.shift);
const isShown = (tour) => tour.shift === shown.shift && (shown.unit === null || tour.unit === shown.unit);

/** The routes of the shift are drawn, those of the timetable stand out. */
function showRoutes() {
  const layer = layerOf("routes");
  if (!layer || !patrol) return;
  const of = (test) => layer.ids.flatMap((id, at) => (test(patrol.tours[id - 1]) ? [at] : []));
  layer.only = new Set(of((tour) => tour.shift === shown.shift));
  layer.paths = null;
}
function marked() {
  const layer = layerOf("routes");
  if (!layer || !patrol) return [];
  return [["routes", layer.ids.flatMap((id, at) => (isShown(patrol.tours[id - 1]) ? [at] : []))]];
}

/** The timetable shows another unit or shift. */
function showTour(change) {
  Object.assign(shown, change);
  showRoutes();
  mark();
  fillSections();
  legends();
  painter?.changed();
}

/** A name that chooses the area on the map. */
const areaButton = (area) => {
  const at = listed().ids.indexOf(area + 1);
  return at < 0 ? areaName(area) : el("button", { type: "button", class: "link", on: { click: () => choose(at, "map") } }, areaName(area));
};

function timetable(place) {
  const select = (id, label, options, chosen, act) => {
    const made = el("select", { id, on: { change: () => {
      act(made.value);
      $(id).focus();
    } } }, options.map(([value, text]) => el("option", { value }, text)));
    made.value = String(chosen);
    return el("label", {}, label, " ", made);
  };
  if (!patrol.tours.length) {
    put(place, el("p", {}, t("No visit is planned.")));
    return;
  }
  const units = [["all", t("All units")], ...patrol.depot_of.map((_, unit) => [String(unit), unitName(unit)])];
  const controls = el(
    "p",
    { class: "tools on-screen" },
    select("unit", t("Unit"), units, shown.unit ?? "all", (value) => showTour({ unit: value === "all" ? null : Number(value) })),
    select("shift", t("Shift"), patrol.shifts.map((_, shift) => [String(shift), shiftName(shift)]), shown.shift, (value) => showTour({ shift: Number(value) })),
  );
  put(place, controls, shown.unit === null ? everyUnit() : oneUnit(), el("p", { class: "small" }, t("Times are those of the clocks in {zone}. sheets.html has a sheet to print for each unit and shift.", { zone: patrol.zone })));
}

function scrolling(made) {
  return el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": made.caption.textContent }, made);
}

function oneUnit() {
  const tour = patrol.tours.find(isShown);
  const caption = `${unitName(shown.unit)} · ${shiftName(shown.shift)}`;
  if (!tour) return el("p", {}, t("{who}: no visit is planned; the unit stays at its depot.", { who: caption }));
  let order = 0;
  const rows = tour.stops.map(([what, from, to, metres]) => {
    const visit = typeof what === "number";
    if (visit) order += 1;
    return [hourOf(from), hourOf(to), visit ? number(order) : "", visit ? areaButton(what) : stopName(tour, what), metres ? number(metres / 1000, 1) : ""];
  });
  const columns = [{ title: t("From") }, { title: t("To") }, { title: "#", n: true }, { title: t("Where") }, { title: "km", n: true }];
  return scrolling(table(`${caption} · ${summary(tour)}`, columns, rows));
}

/** The visits of all units in one shift, by their time. */
function everyUnit() {
  const visits = inShift().flatMap((tour) => visitsOf(tour).map((stop) => [tour, ...stop]));
  visits.sort((a, b) => a[2] - b[2] || a[0].unit - b[0].unit);
  const rows = visits.map(([tour, area, from, to]) => [hourOf(from), hourOf(to), areaButton(area), number(tour.unit + 1)]);
  const way = inShift().reduce((all, tour) => all + wayOf(tour), 0);
  const caption = [shiftName(shown.shift), t("{n} visits", { n: number(visits.length) }), kilometres(way)].join(" · ");
  return scrolling(table(caption, [{ title: t("From") }, { title: t("To") }, { title: t("Where") }, { title: t("Unit"), n: true }], rows));
}

/** The visits to one area. */
function visitsTo(area) {
  const visits = patrol.tours.flatMap((tour) => visitsOf(tour).filter(([what]) => what === area).map(([, from, to]) => [tour, from, to]));
  if (!visits.length) return el("p", {}, t("No visit is planned."));
  visits.sort((a, b) => a[1] - b[1]);
  return scrolling(table(t("Visits"), [{ title: t("Day") }, { title: t("From"), n: true }, { title: t("To"), n: true }, { title: t("Unit"), n: true }], visits.map(([tour, from, to]) => [dayOf(from), hourOf(from), hourOf(to), number(tour.unit + 1)])));
}

/** What was wanted and is not in the plan, and why. */
function missing(place) {
  const { unserved } = patrol;
  if (!unserved.length) {
    put(place, el("p", {}, t("Every visit that is wanted is planned.")));
    return;
  }
  const count = unserved.reduce((all, { wanted, planned }) => all + wanted - planned, 0);
  const rows = unserved.map(({ area, shift, wanted, planned, why }) => [`${dayOf(patrol.shifts[shift][0])}, ${spanOf(patrol.shifts[shift])}`, areaButton(area), `${number(planned)} / ${number(wanted)}`, said(why)]);
  put(
    place,
    el("p", {}, count === 1 ? t("1 wanted visit is not in the plan.") : t("{n} wanted visits are not in the plan.", { n: number(count) })),
    scrolling(table(t("Planned of wanted, and why not more"), [{ title: t("Shift") }, { title: t("Where") }, { title: t("Visits"), n: true }, { title: t("Why") }], rows)),
  );
}

/** What one more buys, as a line with a table beneath. */
function coverage(place) {
  const { x, y } = plan.coverage;
  const show = (series) => (series.is_share ? percent : figures(series.values));
  const [{ values, is_share }] = y;
  const known = values.map((value, at) => [x.values[at], value]).filter((pair) => pair.every(isNumber));
  const [width, height, left, bottom, top] = [420, 190, 52, 34, 10];
  const most = is_share ? Math.min(1, Math.ceil(Math.max(0.1, ...known.map(([, value]) => value)) * 10) / 10) : Math.max(1, ...known.map(([, value]) => value));
  const [first, last] = [x.values[0], x.values[x.values.length - 1]];
  const across = (at) => left + 10 + ((at - first) / (last - first || 1)) * (width - left - 24);
  const up = (value) => height - bottom - (value / most) * (height - bottom - top);
  const marks = is_share ? [0, 0.25, 0.5, 0.75, 1].map((part) => part * most) : ticks(most);
  const grid = marks.flatMap((at) => [svg("line", { class: "axis", x1: left, x2: width, y1: up(at), y2: up(at) }), svg("text", { x: left - 5, y: up(at) + 4, "text-anchor": "end", class: "is-soft" }, is_share ? percent(at, most < 1 && (most * 25) % 1 ? 1 : 0) : number(at))]);
  const every = Math.ceil(x.values.length / 12);
  const names = x.values.flatMap((at, nth) => (nth % every ? [] : [svg("text", { x: across(at), y: height - bottom + 14, "text-anchor": "middle", class: "is-soft" }, number(at))]));
  const path = known.map(([at, value], nth) => `${nth ? "L" : "M"}${across(at).toFixed(1)} ${up(value).toFixed(1)}`).join("");
  const dots = known.map(([at, value]) => svg("circle", { class: "all", cx: across(at).toFixed(1), cy: up(value).toFixed(1), r: 3 }, svg("title", {}, `${number(at)}: ${show(y[0])(value)}`)));
  const axis = svg("text", { x: (left + width) / 2, y: height - 4, "text-anchor": "middle" }, said(x.title));
  const sentence = gains(known, show(y[0]));
  const columns = [{ title: said(x.title) }, ...y.map((series) => ({ title: withUnit({ title: series.title, unit: series.unit }), n: true }))];
  const rows = x.values.map((at, nth) => [number(at), ...y.map((series) => show(series)(series.values[nth]))]);
  put(
    place,
    el("p", { class: "small" }, `${withUnit(y[0])}.`),
    svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": sentence }, grid, svg("path", { class: "all", d: path || "M0 0" }), dots, names, axis),
    el("p", {}, sentence),
    scrolling(table(said(plan.coverage.title), columns, rows)),
  );
}
function gains(known, show) {
  if (known.length < 2) return known.map(([at, value]) => `${number(at)}: ${show(value)}`).join("");
  const [[first, from], [last, to]] = [known[0], known[known.length - 1]];
  if (show(from) === show(to)) return t("With {first} it is {value} already; more change nothing.", { first: number(first), value: show(from) });
  const whole = t("From {first} to {last}: {from} to {to}.", { first: number(first), last: number(last), from: show(from), to: show(to) });
  return known.length < 3 ? whole : `${whole} ${t("The last one changes it from {before} to {to}.", { before: show(known[known.length - 2][1]), to: show(to) })}`;
}

function card(at) {
  const layer = listed();
  const middle = el("p", { class: "small" }, middleOf(at));
  if (patrol) return [visitsTo(layer.ids[at] - 1), middle];
  const list = el("dl", {}, columns().slice(1).flatMap(({ name, title, show }) => [el("dt", {}, title), el("dd", {}, show(valueOf(layer, name, at)))]));
  return [list, middle];
}

const own = {
  heading: () => titleOf(listed()),
  hint: () => (patrol ? t("Choose one to see it on the map and who is there when.") : t("Choose one to see it on the map.")),
  caption: () => said(listed().description),
  none: () => t("Nothing fits the rules; the notes say why."),
  private: () => [t("This page asks no other computer for anything."), patrol ? t("Units stop in the middle of the incidents of an area; where an area has a single one, that is its place.") : t("It holds no place of a single incident.")].join(" "),
  titles: () => ({}),
  marks: ["routes"],
  marked,
  legend: (layer) => {
    if (layer.name !== "routes" || !patrol) return null;
    return [[el("span", { class: "swatch is-line is-marked" }), shown.unit === null ? t("All units") : unitName(shown.unit)], ...(shown.unit === null ? [] : [[el("span", { class: "swatch is-line" }), t("other units in that shift")]])];
  },
  mapNotes: () => plan.withheld.map((title) => t("{layer}: not on this page, as it shows where single incidents were; plan.gpkg has it.", { layer: said(title) })),
  density: null,
  name: nameOf,
  card,
  columns,
  findings: () => plan.facts.map(({ figure, text }) => [said(figure), said(text)]),
  caveats: () => plan.limits.map(said),
  tip,
  pick: ({ layer, at }) => layer.name === "routes" && patrol && showTour({ unit: patrol.tours[layer.ids[at] - 1].unit }),
  start: () => {
    $("caveats").after($("made"));
    showRoutes();
  },
  say: () => {},
  sections: [
    patrol && { id: "timetable", place: "charts", title: () => t("Who is where when"), fill: timetable },
    patrol && { id: "missing", place: "charts", title: () => t("What is missing"), fill: missing },
    plan.coverage && { id: "coverage", place: patrol ? "charts" : "texts", title: () => said(plan.coverage.title), fill: coverage },
  ].filter(Boolean),
};
