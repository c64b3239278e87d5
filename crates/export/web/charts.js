// Pictures of numbers, each with a table that says the same.

/** A table. Columns are `{title, n}`; a cell is text, a number told as text, or a node. */
function table(caption, columns, rows) {
  return el(
    "table",
    {},
    el("caption", {}, caption),
    el("thead", {}, el("tr", {}, columns.map(({ title, n }) => el("th", { scope: "col", class: n ? "n" : null }, title)))),
    el("tbody", {}, rows.map((row) => el("tr", {}, row.map((cell, at) => el(at ? "td" : "th", { scope: at ? null : "row", class: columns[at].n ? "n" : null }, cell))))),
  );
}
const asTable = (made) => el("details", {}, el("summary", {}, t("The same as a table")), el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": made.caption.textContent }, made));

const swatch = (fill) => {
  const made = el("span", { class: fill ? "swatch" : "swatch is-edge" });
  if (fill) made.style.background = fill;
  return made;
};
const key = (entries, title) => el("p", { class: "small" }, entries.flatMap(([fill, label]) => [swatch(fill), ` ${label}  `]), title);

/** Round steps up to the most. */
function ticks(most) {
  const rough = most / 3;
  const tens = 10 ** Math.floor(Math.log10(rough || 1));
  const step = Math.max(1, [1, 2, 5, 10].find((part) => part * tens >= rough) * tens);
  return Array.from({ length: Math.floor(most / step) + 1 }, (_, at) => at * step);
}
