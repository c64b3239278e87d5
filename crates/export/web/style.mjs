// Checks a style against its specification and says, as JSON, what is wrong with it and in which colour it draws each feature:
// `node style.mjs STYLE FEATURES`, where FEATURES is GeoJSON. The tests judge it.

import { readFileSync } from "node:fs";
import { createPropertyExpression, latest, validateStyleMin } from "@maplibre/maplibre-gl-style-spec";

const [style, features] = process.argv.slice(2).map((path) => JSON.parse(readFileSync(path, "utf8")));
const colours = style.layers.map((layer) => {
  const name = `${layer.type}-color`;
  const expression = createPropertyExpression(layer.paint[name], latest[`paint_${layer.type}`][name]);
  if (expression.result === "error") return expression.value.map(({ message }) => message);
  return features.features.map(({ properties }) => String(expression.value.evaluate({ zoom: 10 }, { type: 1, properties })));
});
console.log(JSON.stringify({ errors: validateStyleMin(style).map(({ message }) => message), colours }));
