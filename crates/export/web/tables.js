// What is said in words and tables: the hotspots, how sure they are, what became of the data, how it was made.

/** So many kinds are listed: nobody reads more. */
const MOST_KINDS = 500;

const hotspots = () => layerOf("hotspots");
const has = (name) => hotspots().columns.some((column) => column.name === name);
const of = (name, at) => valueOf(hotspots(), name, at);
const totals = () =>
  data.inputs
    .filter((input) => input.rows)
    .reduce((all, { rows }) => Object.fromEntries(Object.keys(all).map((name) => [name, all[name] + rows[name]])), { read: 0, used: 0, filtered: 0, rejected: 0, duplicate: 0 });
const areaKm2 = () => data.parameters?.study_area_km2;

/** Columns of the list: name in the layer, its heading, what a value looks like. */
const COLUMNS = () =>
  [
    { name: "rank", title: t("Rank"), show: number },
    { name: "incidents", title: t("Incidents"), show: number },
    { name: "share", title: t("Share"), show: percent },
    { name: "area_km2", title: "km²", show: short },
    { name: "pai", title: t("× average"), hint: t("Prediction accuracy index (PAI): share of incidents over share of area"), show: (value) => number(value, 1) },
    { name: "q", title: "q", hint: t("p of the strongest zone, adjusted for testing all zones; small means not chance"), show: chance },
    { name: "stability", title: t("Stability"), hint: t("Share of the area found again when grid, bandwidth and chance change, 0 to 1"), show: (value) => number(value, 2) },
    { name: "trend", title: t("Change"), hint: t("Later against earlier part of the period"), show: change },
    { name: "peak_hours", title: t("Peak hours"), show: (value) => value ?? "–" },
  ].filter((column) => has(column.name));

function hotspotTable() {
  const layer = hotspots();
  const columns = COLUMNS();
  const { sort } = state;
  const order = layer.ids.map((_, at) => at);
  order.sort((a, b) => {
    const [x, y] = [of(sort.column, a), of(sort.column, b)];
    // What is not known comes last, either way.
    if (x === null || y === null) return (x === null) - (y === null) || a - b;
    return (x < y ? -1 : x > y ? 1 : 0) * (sort.down ? -1 : 1) || a - b;
  });
  const heading = (column) => {
    const sorted = sort.column === column.name;
    const act = () => {
      state.sort = { column: column.name, down: sorted ? !sort.down : column.name !== "rank" };
      hotspotTable();
      $("hotspots").querySelector(`th[data-column="${column.name}"] button`).focus();
    };
    return el(
      "th",
      { scope: "col", class: column.name === "peak_hours" ? null : "n", "data-column": column.name, "aria-sort": sorted ? (sort.down ? "descending" : "ascending") : null, title: column.hint },
      el("button", { type: "button", on: { click: act } }, column.title),
    );
  };
  const row = (at) => {
    const cells = columns.map((column) => {
      const text = column.show(of(column.name, at));
      if (column.name !== "rank") return el("td", { class: column.name === "peak_hours" ? null : "n" }, text);
      const button = el("button", { type: "button", "aria-pressed": String(state.chosen === at), "aria-label": t("Hotspot {rank}", { rank: text }) }, text);
      return el("th", { scope: "row", class: "n" }, button);
    });
    return el("tr", { class: state.chosen === at ? "is-chosen" : null, "data-at": at, on: { click: () => choose(state.chosen === at ? null : at, "list") } }, cells);
  };
  const place = $("hotspots");
  if (!order.length) {
    put(place, el("p", {}, t("No hotspot: no zone holds significantly more incidents than chance would put there.")));
    return;
  }
  put(place, el("table", {}, el("caption", {}, t("Hotspots, the first holds the most incidents")), el("thead", {}, el("tr", {}, columns.map(heading))), el("tbody", {}, order.map(row))));
  const scrolls = place.scrollHeight > place.clientHeight || place.scrollWidth > place.clientWidth;
  for (const [name, value] of Object.entries({ tabindex: "0", role: "group", "aria-label": t("Hotspots") })) scrolls ? place.setAttribute(name, value) : place.removeAttribute(name);
}

/** Why a place is a hotspot, in sentences. */
function reasons(at) {
  const area = areaKm2();
  return [
    t("{n} incidents, {share} of all, on {area} of the area: {pai} times the average density.", {
      n: number(of("incidents", at)),
      share: percent(of("share", at)),
      area: isNumber(area) ? percent(of("area_km2", at) / area, 2) : `${short(of("area_km2", at))} km²`,
      pai: number(of("pai", at), 1),
    }),
    t("Its strongest zone stands out from chance: z = {z}, {q}.", { z: number(of("z", at), 1), q: equals(of("q", at)) }),
    isNumber(of("stability", at)) ? t("Drawn again with another grid, bandwidth and chance, {share} of it is found again.", { share: percent(of("stability", at), 0) }) : null,
    isNumber(of("trend", at)) ? t("Change from the earlier to the later part: {change}.", { change: change(of("trend", at)) }) : null,
    of("peak_hours", at) ? t("Most incidents between {hours} h.", { hours: of("peak_hours", at) }) : null,
  ].filter(Boolean);
}

function chosenCard() {
  const at = state.chosen;
  if (at === null) {
    put($("chosen"));
    return;
  }
  const back = el("button", { type: "button", on: { click: () => choose(null, "list") } }, t("Back to the whole area"));
  const [west, south, east, north] = hotspots().features[at].box;
  const middle = t("Middle: {lat}, {lon} (latitude, longitude).", { lat: ((south + north) / 2).toFixed(5), lon: wrapped((west + east) / 2).toFixed(5) });
  put($("chosen"), el("h3", {}, nameOf(at)), el("ul", { class: "notes" }, [...reasons(at), middle].map((text) => el("li", {}, text))), back);
}

function findings() {
  const layer = hotspots();
  const count = layer.ids.length;
  const sum = (name) => layer.ids.reduce((all, _, at) => all + (of(name, at) ?? 0), 0);
  const items = [[number(count), count === 1 ? t("hotspot") : t("hotspots")]];
  if (count) {
    const area = isNumber(areaKm2()) ? percent(sum("area_km2") / areaKm2()) : `${short(sum("area_km2"))} km²`;
    items.push([percent(sum("share"), 0), t("of the incidents, on {area} of the area", { area })]);
    const first = [...layer.ids.keys()].reduce((a, b) => ((of("pai", b) ?? 0) > (of("pai", a) ?? 0) ? b : a), 0);
    items.push([t("{n} times", { n: number(of("pai", first), 1) }), t("the average density in hotspot {rank}, the densest", { rank: number(of("rank", first)) })]);
  }
  if (data.week) {
    const hours = data.week.all;
    const [days, spans] = [Array(7).fill(0), Array(24).fill(0)];
    hours.forEach((value, at) => {
      days[Math.floor(at / 24)] += value;
      for (let back = 0; back < 4; back++) spans[((at % 24) + 24 - back) % 24] += value;
    });
    const [day, from] = [days.indexOf(Math.max(...days)), spans.indexOf(Math.max(...spans))];
    if (Math.max(...days) > 0) items.push([`${hour(from)}–${hour((from + 4) % 24 || 24)} h`, t("the busiest four hours; the busiest day is {day}", { day: weekday(day, "long") })]);
  }
  put($("findings"), items.map(([big, small]) => el("li", {}, el("strong", {}, big), el("span", {}, small))));
}

/** How steady an overlap is, in words. */
const steadiness = (share) =>
  share >= 0.8
    ? t("very steady")
    : share >= 0.6
      ? t("steady; edges move a little")
      : share >= 0.4
        ? t("the cores stay, the edges move")
        : t("unsteady: take it as a hint");

function howSure(place) {
  const layer = hotspots();
  const zones = layerOf("zones");
  const parts = [];
  const isHot = (word) => ["hot", "high_high"].includes(word);
  const counted = (zones) => (zones.squares ? zones.squares.words.reduce((all, [word, count]) => all + (isHot(word) ? count : 0), 0) : zones.ids.filter((_, at) => isHot(valueOf(zones, "class", at))).length);
  const hot = zones ? counted(zones) : 0;
  parts.push(el("h3", {}, t("Is it chance?")));
  parts.push(
    el("p", {}, layer.ids.length
      ? t("{hot} zones hold significantly many incidents with their neighbours (Gi*, q ≤ 0.05). Of all zones called hot, about one in twenty may be so by chance.", { hot: number(hot) })
      : t("No zone stands out from chance. That is a result: it does not say that nothing happens here.")),
  );
  const stability = data.parameters?.stability;
  if (stability?.overlaps?.length) {
    const overlaps = stability.overlaps;
    const whole = overlaps[overlaps.length - 1];
    parts.push(el("h3", {}, t("Would it be found again?")));
    parts.push(
      el("p", {}, t("Drawn {n} times with another grid, cell, bandwidth and sample, the hot area overlaps the one shown by {share} on average: {steady}.", {
        n: number(whole.replicates),
        share: percent(whole.jaccard_mean, 0),
        steady: steadiness(whole.jaccard_mean),
      })),
    );
    const changes = { grid: t("Where the grid begins"), origin: t("Where the grid begins"), cell: t("Size of the cell"), bandwidth: t("Bandwidth"), incidents: t("Incidents drawn again"), all: t("All of it at once"), everything: t("All of it at once") };
    parts.push(
      table(
        t("Overlap with the hot area shown (Jaccard, 1 is the same)"),
        [{ title: t("What is changed") }, { title: t("Times"), n: true }, { title: t("Mean"), n: true }, { title: t("Least"), n: true }],
        overlaps.map((row) => [changes[row.change] ?? row.change, number(row.replicates), number(row.jaccard_mean, 2), number(row.jaccard_least, 2)]),
      ),
    );
    const weak = layer.ids.map((_, at) => at).filter((at) => isNumber(of("stability", at)) && of("stability", at) < 0.5);
    if (weak.length) parts.push(el("p", {}, t("Less than half of these is found again, look twice before you act on them: {ranks}.", { ranks: weak.map((at) => number(of("rank", at))).join(", ") })));
  } else if (layer.ids.length) {
    parts.push(el("p", {}, t("Whether the hotspots would be found again was not asked (--replicates).")));
  }
  parts.push(el("p", { class: "small" }, t("Steady means found again in this data; it does not say that incidents will come.")));
  put(place, parts);
}

/** A note in the reader's language, where there are words for its kind; else as it was written. */
function note({ code, text, value, unit, reason }) {
  const shown = isNumber(value) ? short(value) : String(value ?? "");
  const words = data.words[state.lang] ?? {};
  const template = words[`note: ${code}`];
  const fits = template && (value !== undefined || !template.includes("{value}"));
  const first = fits ? el("span", {}, t(`note: ${code}`, { value: shown, unit: unitSaid(unit ?? "") })) : el("span", { lang: "en" }, text);
  const why = words[`why: ${code}`];
  return el("li", {}, first, reason ? (why ? el("small", {}, why) : el("small", { lang: "en" }, reason)) : null);
}
const unitSaid = (unit) => unit.split("/").map((part) => t(part)).join("/");

function rows(place) {
  const all = totals();
  const names = { used: t("used"), filtered: t("left out as asked"), rejected: t("rejected"), duplicate: t("duplicate") };
  const parts = [el("p", {}, t("{read} rows read = {used} used + {filtered} left out as asked + {rejected} rejected + {duplicate} duplicate.", Object.fromEntries(Object.entries(all).map(([name, value]) => [name, number(value)]))))];
  const bar = el("div", { class: "bar", "aria-hidden": "true" });
  for (const name of Object.keys(names)) {
    const part = el("span", { class: name });
    part.style.width = `${(100 * all[name]) / Math.max(1, all.read)}%`;
    bar.append(part);
  }
  parts.push(bar);
  if (data.rejected.length) {
    parts.push(table(t("Rejected rows by reason; each row stands in rejects.csv"), [{ title: t("Reason") }, { title: t("Rows"), n: true }], data.rejected.map((row) => [said(row.meaning), number(row.rows)])));
  } else parts.push(el("p", {}, t("No row was rejected.")));
  const kinds = data.inputs.flatMap((input) => input.kinds ?? []).filter((kind) => kind.kind);
  if (kinds.length) {
    const told = kinds.slice(0, MOST_KINDS).map((kind) => [kind.kind, kind.iccs ?? "–", number(kind.rows)]);
    parts.push(el("details", {}, el("summary", {}, t("Kinds of incidents")), el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": t("Kinds of incidents") }, table(t("Kinds as the source names them, the most frequent first"), [{ title: t("Kind") }, { title: "ICCS" }, { title: t("Rows"), n: true }], told))));
  }
  if (data.notes.length) parts.push(el("h3", {}, t("What was chosen or noticed")), el("ul", { class: "notes" }, data.notes.map(note)));
  put(place, parts);
}

function caveats(place) {
  const texts = [
    t("These are reported incidents, not all incidents: what is not reported, or not recorded with a place, is not here."),
    t("Many incidents in a place need not mean a high risk for those who are there; where many people are, more happens."),
    t("The page speaks of places, never of persons. It is no reason to suspect anyone who is there."),
    t("Police who go where the map points record more there: weigh it against victim reports and calls."),
    t("The past is shown. Nothing here forecasts what will happen."),
    t("Outlines follow a density and have no sharp edge on the ground; addresses just outside are not safe, those inside not all alike."),
  ];
  put(place, el("ul", { class: "notes" }, texts.map((text) => el("li", {}, text))));
}

function made(place) {
  const list = el("dl");
  const row = (name, ...value) => list.append(el("dt", {}, name), el("dd", {}, ...value));
  row(t("Command"), el("code", {}, data.command));
  row(t("Program"), `${data.tool} ${data.version}`);
  if (data.seed !== null) row(t("Seed of chance"), String(data.seed));
  if (data.library) row(t("Map library"), `MapLibre GL JS ${data.library} (BSD-3-Clause)`);
  const files = table(
    t("Files that were read"),
    [{ title: t("File") }, { title: t("Bytes"), n: true }, { title: "SHA-256" }],
    data.inputs.map((input) => [input.name, number(input.bytes), el("code", {}, input.sha256)]),
  );
  const parameters = el("pre", { tabindex: "0", role: "group", "aria-label": t("All parameters") }, JSON.stringify(data.parameters, null, 1));
  put(place, list, files, el("details", {}, el("summary", {}, t("All parameters")), parameters), el("p", { class: "small" }, t("The same files and the same command give the same page, byte by byte.")));
}
