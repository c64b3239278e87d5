// What every page says in words and tables: the list, what became of the data, how it was made.

/** So many kinds are listed: nobody reads more. */
const MOST_KINDS = 500;

const listedValue = (name, at) => valueOf(listed(), name, at);
const totals = () =>
  data.inputs
    .filter((input) => input.rows)
    .reduce((all, { rows }) => Object.fromEntries(Object.keys(all).map((name) => [name, all[name] + rows[name]])), { read: 0, used: 0, filtered: 0, rejected: 0, duplicate: 0 });
/** The study area in km²: as it was reckoned with, else as it is drawn. */
function areaKm2() {
  const known = data.parameters?.study_area_km2;
  if (isNumber(known)) return known;
  const layer = layerOf("study_area");
  return layer?.ids.length ? layer.ids.reduce((all, _, at) => all + (valueOf(layer, "area_km2", at) ?? 0), 0) : null;
}

/** Which of two values comes first; texts with a number by it. */
function compare(a, b) {
  if (typeof a === "string") return format("Collator", { numeric: true }).compare(a, b);
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The list. A column is `{name, title, hint, n, show}`, the first names the row; `n` is for numbers. */
function listTable() {
  const layer = listed();
  const place = $("listed");
  const columns = own.columns();
  const { sort } = state;
  const order = layer?.ids.map((_, at) => at) ?? [];
  if (sort.column)
    order.sort((a, b) => {
      const [x, y] = [listedValue(sort.column, a), listedValue(sort.column, b)];
      // What is not known comes last, either way.
      if (x === null || y === null) return (x === null) - (y === null) || a - b;
      return compare(x, y) * (sort.down ? -1 : 1) || a - b;
    });
  const heading = (column, nth) => {
    const sorted = sort.column === column.name;
    const act = () => {
      state.sort = { column: column.name, down: sorted ? !sort.down : nth > 0 };
      listTable();
      place.querySelector(`th[data-column="${column.name}"] button`).focus();
    };
    return el(
      "th",
      { scope: "col", class: column.n ? "n" : null, "data-column": column.name, "aria-sort": sorted ? (sort.down ? "descending" : "ascending") : null, title: column.hint },
      el("button", { type: "button", on: { click: act } }, column.title),
    );
  };
  const row = (at) => {
    const cells = columns.map((column, nth) => {
      const text = column.show(listedValue(column.name, at));
      if (nth) return el("td", { class: column.n ? "n" : null }, text);
      const button = el("button", { type: "button", "aria-pressed": String(state.chosen === at), "aria-label": own.name(at) }, text);
      return el("th", { scope: "row", class: column.n ? "n" : null }, button);
    });
    return el("tr", { class: state.chosen === at ? "is-chosen" : null, "data-at": at, on: { click: () => choose(state.chosen === at ? null : at, "list") } }, cells);
  };
  if (!order.length) {
    put(place, el("p", {}, own.none()));
    return;
  }
  put(place, el("table", {}, el("caption", {}, own.caption()), el("thead", {}, el("tr", {}, columns.map(heading))), el("tbody", {}, order.map(row))));
  canScroll(place, own.heading());
}

/** A place that scrolls can be reached with the keyboard. */
function canScroll(place, label) {
  const scrolls = place.scrollHeight > place.clientHeight || place.scrollWidth > place.clientWidth;
  for (const [name, value] of Object.entries({ tabindex: "0", role: "group", "aria-label": label })) scrolls ? place.setAttribute(name, value) : place.removeAttribute(name);
}

function middleOf(at) {
  const [west, south, east, north] = listed().features[at].box;
  return t("Middle: {lat}, {lon} (latitude, longitude).", { lat: ((south + north) / 2).toFixed(5), lon: wrapped((west + east) / 2).toFixed(5) });
}

function chosenCard() {
  const at = state.chosen;
  if (at === null) {
    put($("chosen"));
    return;
  }
  const back = el("button", { type: "button", on: { click: () => choose(null, "list") } }, t("Back to the whole area"));
  put($("chosen"), el("h3", {}, own.name(at)), own.card(at), back);
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
