// Hotspots in the week, over time, and how concentrated they are, each as a picture with a table that says the same.

/** The colour of a share of the most. */
function shade(part) {
  const place = Math.max(0, Math.min(1, part)) * (found.ramp.length - 1);
  const below = Math.min(Math.floor(place), found.ramp.length - 2);
  const [a, b] = [found.ramp[below], found.ramp[below + 1]].map((hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)));
  return `rgb(${a.map((from, at) => Math.round(from + (b[at] - from) * (place - below))).join(",")})`;
}

/** Incidents by hour of the week: a ring per day, Monday inside, midnight on top. */
function weekWheel(place) {
  if (!found.week) {
    put(place, el("p", {}, t("No hours of the day are known in this data, so nothing is said about them.")));
    return;
  }
  const hours = state.chosen === null ? found.week.all : (found.week.by[state.chosen] ?? found.week.all);
  const who = state.chosen === null ? t("Whole area") : nameOf(state.chosen);
  const most = Math.max(...hours);
  if (!(most > 0)) {
    put(place, el("p", {}, t("{who}: no hour of the day is known.", { who })));
    return;
  }
  const [inner, ring, middle] = [42, 13.4, 165];
  const point = (radius, turn) => [middle + radius * Math.sin(turn), middle - radius * Math.cos(turn)].map((at) => at.toFixed(2)).join(" ");
  const cells = hours.map((value, at) => {
    const [day, from] = [Math.floor(at / 24), at % 24];
    const [near, far] = [inner + day * ring, inner + (day + 1) * ring];
    const [a, b] = [from, from + 1].map((h) => (h / 24) * 2 * Math.PI);
    const path = `M${point(near, a)}L${point(far, a)}A${far} ${far} 0 0 1 ${point(far, b)}L${point(near, b)}A${near} ${near} 0 0 0 ${point(near, a)}Z`;
    const title = svg("title", {}, `${weekday(day, "long")} ${hour(from)}–${hour(from + 1)} h: ${short(value)}`);
    return svg("path", { d: path, class: "cell", fill: value > 0 ? shade(value / most) : "var(--quiet)" }, title);
  });
  const outside = inner + 7 * ring + 11;
  const marks = [0, 3, 6, 9, 12, 15, 18, 21].map((h) => {
    const [x, y] = point(outside, (h / 24) * 2 * Math.PI).split(" ");
    return svg("text", { x, y: Number(y) + 4, "text-anchor": "middle" }, hour(h));
  });
  const days = [0, 6].map((day) => svg("text", { x: middle, y: middle + (day ? 16 : -6), "text-anchor": "middle", class: "is-soft" }, day ? t("outside: {day}", { day: weekday(6) }) : t("inside: {day}", { day: weekday(0) })));
  const peak = hours.indexOf(most);
  const said = t("{who}: most incidents on {day} between {from} and {to} h ({value} in that hour of all weeks together).", {
    who,
    day: weekday(Math.floor(peak / 24), "long"),
    from: hour(peak % 24),
    to: hour((peak % 24) + 1),
    value: short(most),
  });
  const picture = svg("svg", { viewBox: `0 0 ${2 * middle} ${2 * middle}`, role: "img", "aria-label": said }, cells, marks, days);
  const four = [0, 4, 8, 12, 16, 20];
  const sum = (day, from) => [0, 1, 2, 3].reduce((all, h) => all + hours[day * 24 + from + h], 0);
  const rows = [0, 1, 2, 3, 4, 5, 6].map((day) => [weekday(day, "long"), ...four.map((from) => short(sum(day, from)))]);
  const columns = [{ title: t("Day") }, ...four.map((from) => ({ title: `${hour(from)}–${hour(from + 4)}`, n: true }))];
  put(
    place,
    picture,
    key([["var(--quiet)", number(0)], ...[0.5, 1].map((part) => [shade(part), short(most * part)])], t("incidents in that hour")),
    el("p", {}, said),
    el("p", { class: "small" }, t("The hour is known of {share} of the incidents; one known to a span of hours counts in each by its part.", { share: percent(found.week.known, 0) })),
    asTable(table(t("{who}: incidents by day and hour", { who }), columns, rows)),
  );
}

/** A stretch of the trend, as short as it can be said. */
function stretchName([start, end]) {
  const { step } = found.trend;
  const from = moment(start);
  if (step === "year") return date(from, { year: "numeric" });
  if (step === "month") return date(from, { year: "numeric", month: "short" });
  if (step === "quarter") return t("Q{quarter} {year}", { quarter: Math.floor(from.getUTCMonth() / 3) + 1, year: from.getUTCFullYear() });
  return period([start, end]);
}

/** One line over the stretches. Those the data does not cover whole are hollow and not joined. */
function line(values, cls, label) {
  const [width, height, left, bottom, top] = [420, 120, 38, 18, 8];
  const { stretches } = found.trend;
  const most = Math.max(1, ...values);
  const x = (at) => left + ((at + 0.5) / values.length) * (width - left - 6);
  const y = (value) => height - bottom - (value / most) * (height - bottom - top);
  const grid = ticks(most).flatMap((at) => [svg("line", { class: "axis", x1: left, x2: width, y1: y(at), y2: y(at) }), svg("text", { x: left - 5, y: y(at) + 4, "text-anchor": "end", class: "is-soft" }, number(at))]);
  let path = "";
  let joined = false;
  values.forEach((value, at) => {
    const whole = stretches[at].whole;
    if (whole) path += `${joined ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
    joined = whole;
  });
  const dots = values.map((value, at) =>
    svg(
      "circle",
      { class: stretches[at].whole ? cls : "is-partial all", cx: x(at).toFixed(1), cy: y(value).toFixed(1), r: stretches[at].whole ? 2.2 : 3 },
      svg("title", {}, `${stretchName(stretches[at].period)}: ${number(value)}${stretches[at].whole ? "" : ` (${t("not covered whole")})`}`),
    ),
  );
  dots.forEach((dot, at) => stretches[at].whole || dot.setAttribute("stroke", "currentColor"));
  const ends = [0, values.length - 1].filter((at, i, all) => all.indexOf(at) === i);
  const names = ends.map((at, i) => svg("text", { x: i ? width - 2 : left, y: height - 4, "text-anchor": i ? "end" : "start", class: "is-soft" }, stretchName(stretches[at].period)));
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label }, grid, svg("path", { class: cls, d: path || "M0 0" }), dots, names);
}

function trendLines(place) {
  if (!found.trend) {
    put(place, el("p", {}, t("No times are known in this data, so there is no trend.")));
    return;
  }
  const { stretches, step, undecided } = found.trend;
  const every = {
    day: t("Incidents by day"),
    week: t("Incidents by week"),
    month: t("Incidents by month"),
    quarter: t("Incidents by quarter"),
    year: t("Incidents by year"),
  }[step];
  const panel = (who, values, cls) => {
    const [least, most] = [Math.min(...values), Math.max(...values)];
    const label = t("{who}: between {least} and {most} incidents.", { who, least: number(least), most: number(most) });
    return [el("h3", {}, who), line(values, cls, `${every}. ${label}`)];
  };
  const one = state.chosen === null ? null : { who: nameOf(state.chosen), values: stretches.map((stretch) => stretch.by[state.chosen] ?? 0) };
  const columns = [{ title: t("Stretch of time") }, { title: t("Whole area"), n: true }];
  if (one) columns.push({ title: one.who, n: true });
  const rows = stretches.map((stretch, at) => [stretchName(stretch.period) + (stretch.whole ? "" : ` (${t("not covered whole")})`), number(stretch.all), ...(one ? [number(one.values[at])] : [])]);
  put(
    place,
    el("p", { class: "small" }, `${every}.`),
    panel(t("Whole area"), stretches.map((stretch) => stretch.all), "all"),
    one ? panel(one.who, one.values, "one") : null,
    el("p", { class: "small" }, t("Hollow points: the data does not cover that stretch whole. Counts this small go up and down by chance.")),
    undecided ? el("p", { class: "small" }, t("{n} incidents have times that do not fit into one stretch and are left out here.", { n: number(undecided) })) : null,
    asTable(table(every, columns, rows)),
  );
}

function concentrationCurve(place) {
  const { x, y, gini, half } = found.concentration;
  const [side, left, bottom] = [320, 58, 38];
  const across = (share) => left + share * (side - left - 22);
  const up = (share) => side - bottom - share * (side - bottom - 8);
  const said = t("Half of the incidents are on {half} of the zones. Gini {gini}: 0 is as even as can be, 1 is all in one zone.", { half: percent(half), gini: number(gini, 2) });
  const parts = [0, 0.25, 0.5, 0.75, 1];
  const grid = parts.flatMap((part) => [
    svg("line", { class: "axis", x1: left, x2: across(1), y1: up(part), y2: up(part) }),
    svg("line", { class: "axis", x1: across(part), x2: across(part), y1: up(0), y2: up(1) }),
    svg("text", { x: left - 4, y: up(part) + 4, "text-anchor": "end", class: "is-soft" }, percent(part, 0)),
    ...(part ? [svg("text", { x: across(part), y: side - bottom + 14, "text-anchor": "middle", class: "is-soft" }, percent(part, 0))] : []),
  ]);
  const path = x.map((share, at) => `${at ? "L" : "M"}${across(share).toFixed(1)} ${up(y[at]).toFixed(1)}`).join("");
  const mark = isNumber(half) ? [svg("path", { class: "one", d: `M${left} ${up(0.5)}H${across(half)}V${up(0)}` }), svg("circle", { class: "one", cx: across(half), cy: up(0.5), r: 3.5 })] : [];
  const names = [
    svg("text", { x: across(0.5), y: side - 4, "text-anchor": "middle" }, t("Share of zones, the fullest first")),
    svg("text", { transform: `translate(12 ${up(0.5)}) rotate(-90)`, "text-anchor": "middle" }, t("Share of incidents")),
  ];
  const at = (share) => {
    const next = x.findIndex((value) => value >= share);
    if (next <= 0) return next === 0 ? y[0] : 1;
    return y[next - 1] + ((y[next] - y[next - 1]) * (share - x[next - 1])) / (x[next] - x[next - 1] || 1);
  };
  const rows = [0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5].map((share) => [percent(share, 0), percent(at(share))]);
  put(
    place,
    svg("svg", { viewBox: `0 0 ${side} ${side}`, role: "img", "aria-label": said }, grid, svg("path", { class: "even", d: `M${across(0)} ${up(0)}L${across(1)} ${up(1)}` }), svg("path", { class: "all", d: path || "M0 0" }), mark, names),
    el("p", {}, said),
    el("p", { class: "small" }, t("Dashed: if each zone had the same.")),
    asTable(table(t("Share of incidents on the fullest zones"), [{ title: t("Zones") }, { title: t("Incidents"), n: true }], rows)),
  );
}
