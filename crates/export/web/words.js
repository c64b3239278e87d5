// What the page knows, and how it says it.

const data = JSON.parse(document.getElementById("data").textContent);
const state = { lang: data.lang, chosen: null, stretch: null, /** Of the list: in the order of the layer until one asks for another. */ sort: { column: null, down: false } };

const $ = (id) => document.getElementById(id);

/** A text in the reader's language; the English text is the key. `{name}` is replaced by a value. */
function t(english, values = {}) {
  const said = data.words[state.lang]?.[english] ?? english;
  return said.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** One of the texts that come in every language. */
const said = (words) => words[state.lang] ?? words.en;

/** The locale: that of the run where it is of this language. */
const locale = () => (data.lang === state.lang ? data.locale : state.lang === "en" ? "en-GB" : state.lang);

const formats = new Map();
function format(kind, options) {
  const key = `${kind}|${locale()}|${JSON.stringify(options)}`;
  if (!formats.has(key)) formats.set(key, new Intl[kind](locale(), options));
  return formats.get(key);
}

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
const number = (value, digits = 0) =>
  isNumber(value) ? format("NumberFormat", { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value) : "–";
/** With as many decimals as leave three digits. */
const short = (value) => (isNumber(value) ? format("NumberFormat", { maximumSignificantDigits: 3 }).format(value) : "–");
const percent = (share, digits = 1) =>
  isNumber(share) ? `${number(share * 100, digits)}\u00a0%` : "–";
const change = (value) =>
  isNumber(value) ? `${format("NumberFormat", { maximumFractionDigits: 0, signDisplay: "exceptZero" }).format(value)}\u00a0%` : "–";
/** `q = 0.0019`, `q < 0.0001`. */
const equals = (q) => (isNumber(q) && q < 1e-4 ? `q\u00a0${chance(q)}` : `q\u00a0=\u00a0${chance(q)}`);
const chance = (q) => (!isNumber(q) ? "–" : q < 1e-4 ? `<\u00a0${number(0.0001, 4)}` : number(q, 4));

/** A moment of local civil time as a date without a zone. */
const moment = (text) => new Date(`${text.slice(0, 19)}Z`);
const date = (at, options = { year: "numeric", month: "short", day: "numeric" }) =>
  format("DateTimeFormat", { ...options, timeZone: "UTC" }).format(at);
/** A half-open period in whole days. */
function period([start, end]) {
  const [from, to] = [moment(start), new Date(moment(end) - 1000)];
  const [first, last] = [date(from), date(to)];
  return first === last ? first : `${first} – ${last}`;
}
const weekday = (day, style = "short") => date(new Date(Date.UTC(2024, 0, 1 + day)), { weekday: style });
const hour = (at) => String(at).padStart(2, "0");

/** An element. Children are nodes or text, and text stays text. */
function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "on") for (const [event, act] of Object.entries(value)) made.addEventListener(event, act);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}
function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.flat());
  return made;
}
const put = (parent, ...children) => parent.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined));

/** The fixed texts of the page. */
function speak() {
  document.documentElement.lang = state.lang;
  for (const at of document.querySelectorAll("[data-t]")) {
    at.dataset.t ||= at.textContent;
    at.textContent = t(at.dataset.t);
  }
  for (const at of document.querySelectorAll("[data-t-label]")) {
    at.setAttribute("aria-label", t(at.dataset.tLabel));
    at.title = t(at.dataset.tLabel);
  }
}
