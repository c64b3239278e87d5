// What only a page of hotspots says: why each is one, how sure that is, what to know before one acts, and the slider over time.

const found = data.hotspots;
const nameOf = (at) => t("Hotspot {rank}", { rank: number(listedValue("rank", at)) });

/** Columns of the list. */
const columns = () =>
  [
    { name: "rank", n: true, title: t("Rank"), show: number },
    { name: "incidents", n: true, title: t("Incidents"), show: number },
    { name: "share", n: true, title: t("Share"), show: percent },
    { name: "area_km2", n: true, title: "km²", show: short },
    { name: "pai", n: true, title: t("× average"), hint: t("Prediction accuracy index (PAI): share of incidents over share of area"), show: (value) => number(value, 1) },
    { name: "q", n: true, title: "q", hint: t("p of the strongest zone, adjusted for testing all zones; small means not chance"), show: chance },
    { name: "stability", n: true, title: t("Stability"), hint: t("Share of the area found again when grid, bandwidth and chance change, 0 to 1"), show: (value) => number(value, 2) },
    { name: "trend", n: true, title: t("Change"), hint: t("Later against earlier part of the period"), show: change },
    { name: "peak_hours", title: t("Peak hours"), show: (value) => value ?? "–" },
  ].filter((column) => listed().columns.some(({ name }) => name === column.name));

/** Why a place is a hotspot, in sentences. */
function reasons(at) {
  const area = areaKm2();
  return [
    t("{n} incidents, {share} of all, on {area} of the area: {pai} times the average density.", {
      n: number(listedValue("incidents", at)),
      share: percent(listedValue("share", at)),
      area: isNumber(area) ? percent(listedValue("area_km2", at) / area, 2) : `${short(listedValue("area_km2", at))} km²`,
      pai: number(listedValue("pai", at), 1),
    }),
    t("Its strongest zone stands out from chance: z = {z}, {q}.", { z: number(listedValue("z", at), 1), q: equals(listedValue("q", at)) }),
    isNumber(listedValue("stability", at)) ? t("Drawn again with another grid, bandwidth and chance, {share} of it is found again.", { share: percent(listedValue("stability", at), 0) }) : null,
    isNumber(listedValue("trend", at)) ? t("Change from the earlier to the later part: {change}.", { change: change(listedValue("trend", at)) }) : null,
    listedValue("peak_hours", at) ? t("Most incidents between {hours} h.", { hours: listedValue("peak_hours", at) }) : null,
  ].filter(Boolean);
}

function figures() {
  const layer = listed();
  const count = layer.ids.length;
  const sum = (name) => layer.ids.reduce((all, _, at) => all + (listedValue(name, at) ?? 0), 0);
  const items = [[number(count), count === 1 ? t("hotspot") : t("hotspots")]];
  if (count) {
    const area = isNumber(areaKm2()) ? percent(sum("area_km2") / areaKm2()) : `${short(sum("area_km2"))} km²`;
    items.push([percent(sum("share"), 0), t("of the incidents, on {area} of the area", { area })]);
    const first = [...layer.ids.keys()].reduce((a, b) => ((listedValue("pai", b) ?? 0) > (listedValue("pai", a) ?? 0) ? b : a), 0);
    items.push([t("{n} times", { n: number(listedValue("pai", first), 1) }), t("the average density in hotspot {rank}, the densest", { rank: number(listedValue("rank", first)) })]);
  }
  if (found.week) {
    const hours = found.week.all;
    const [days, spans] = [Array(7).fill(0), Array(24).fill(0)];
    hours.forEach((value, at) => {
      days[Math.floor(at / 24)] += value;
      for (let back = 0; back < 4; back++) spans[((at % 24) + 24 - back) % 24] += value;
    });
    const [day, from] = [days.indexOf(Math.max(...days)), spans.indexOf(Math.max(...spans))];
    if (Math.max(...days) > 0) items.push([`${hour(from)}–${hour((from + 4) % 24 || 24)} h`, t("the busiest four hours; the busiest day is {day}", { day: weekday(day, "long") })]);
  }
  return items;
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
  const layer = listed();
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
    const weak = layer.ids.map((_, at) => at).filter((at) => isNumber(listedValue("stability", at)) && listedValue("stability", at) < 0.5);
    if (weak.length) parts.push(el("p", {}, t("Less than half of these is found again, look twice before you act on them: {ranks}.", { ranks: weak.map((at) => number(listedValue("rank", at))).join(", ") })));
  } else if (layer.ids.length) {
    parts.push(el("p", {}, t("Whether the hotspots would be found again was not asked (--replicates).")));
  }
  parts.push(el("p", { class: "small" }, t("Steady means found again in this data; it does not say that incidents will come.")));
  put(place, parts);
}

/** What to know before one acts. */
const warnings = () => [
  t("These are reported incidents, not all incidents: what is not reported, or not recorded with a place, is not here."),
  t("Many incidents in a place need not mean a high risk for those who are there; where many people are, more happens."),
  t("The page speaks of places, never of persons. It is no reason to suspect anyone who is there."),
  t("Police who go where the map points record more there: weigh it against victim reports and calls."),
  t("The past is shown. Nothing here forecasts what will happen."),
  t("Outlines follow a density and have no sharp edge on the ground; addresses just outside are not safe, those inside not all alike."),
];

/** A slider over the stretches of the trend, each with the hotspots in its own classes. */
function timeSlider() {
  const stretches = found.trend?.stretches ?? [];
  if (!found.over_time || stretches.length < 2) return;
  $("over-time").hidden = false;
  const slider = $("stretch");
  slider.max = String(stretches.length);
  slider.addEventListener("input", () => {
    state.stretch = Number(slider.value) ? Number(slider.value) - 1 : null;
    const count = listed().ids.length;
    const { classes, class: all } = found.over_time;
    scene.classes = state.stretch === null ? null : { ...classes, class: all.slice(state.stretch * count, (state.stretch + 1) * count) };
    listed().paths = null;
    sayStretch();
    legends();
    painter.changed();
    moved();
  });
}
function sayStretch() {
  const stretch = state.stretch === null ? null : found.trend.stretches[state.stretch];
  const text = stretch
    ? t("{stretch}: {n} incidents in hotspots, {all} in all{partial}", { stretch: stretchName(stretch.period), n: number(stretch.by.reduce((a, b) => a + b, 0)), all: number(stretch.all), partial: stretch.whole ? "" : ` (${t("not covered whole")})` })
    : t("Whole period");
  $("stretch-said").textContent = text;
  $("stretch").setAttribute("aria-valuetext", text);
}

/** What lies under the pointer, in a few words. */
function tip(layer, at) {
  if (isListed(layer)) return [nameOf(at), reasons(at)[0]];
  const get = (name) => valueOf(layer, name, at);
  const entry = layer.classes.entries[layer.class[at]];
  return [t("Zone {name}", { name: get("zone") ?? "" }), `${entry ? said(entry.label) : ""}. ${t("{n} incidents", { n: short(get("count")) })}, z = ${number(get("z"), 1)}, ${equals(get("q"))}`];
}

const own = {
  heading: () => t("Hotspots"),
  hint: () => t("Choose one to see it on the map, its hours and its trend."),
  caption: () => t("Hotspots, the first holds the most incidents"),
  none: () => t("No hotspot: no zone holds significantly more incidents than chance would put there."),
  private: () => t("This page asks no other computer for anything and holds no place of a single incident."),
  titles: () => ({ zones: t("Zones tested") }),
  marks: [],
  marked: () => [],
  pick: () => {},
  mapNotes: () => [],
  density: found.density,
  name: nameOf,
  card: (at) => el("ul", { class: "notes" }, [...reasons(at), middleOf(at)].map((text) => el("li", {}, text))),
  columns,
  findings: figures,
  caveats: warnings,
  tip,
  start: timeSlider,
  say: sayStretch,
  sections: [
    { id: "week", place: "charts", title: () => t("When in the week"), fill: weekWheel },
    { id: "trend", place: "charts", title: () => t("Over time"), fill: trendLines },
    { id: "concentration", place: "charts", title: () => t("How concentrated"), fill: concentrationCurve },
    { id: "sure", place: "texts", title: () => t("How sure is this"), fill: howSure },
  ],
};
