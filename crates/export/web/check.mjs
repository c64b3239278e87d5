// Opens a page in a browser without a window and says what it did, as JSON: `node check.mjs PAGE [--no-webgl] [--webgl] [--axe]`.
// The tests judge it; `ready` is for whoever measures.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import puppeteer from "puppeteer-core";

const [page_path, ...flags] = process.argv.slice(2);
const has = (flag) => flags.includes(flag);
const args = ["--no-sandbox", ...(has("--no-webgl") ? ["--disable-3d-apis"] : ["--enable-unsafe-swiftshader", "--use-angle=swiftshader"])];
const browser = await puppeteer.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args });
const page = await browser.newPage();
const told = { ready: null, map: null, requests: [], console: [], dialogs: 0, executed: false, axe: [], languages: {} };
const address = pathToFileURL(page_path).href;
page.on("request", (request) => {
  const url = request.url();
  if (url.split("#")[0] !== address && !/^(data|blob):/.test(url)) told.requests.push(url);
});
page.on("console", (message) => ["error", "warn"].includes(message.type()) && told.console.push(message.text()));
page.on("pageerror", (error) => told.console.push(String(error.stack ?? error)));
page.on("dialog", (dialog) => {
  told.dialogs += 1;
  return dialog.dismiss();
});
await page.setViewport({ width: 1400, height: 1000 });
await page.goto(address + (has("--webgl") ? "#map=webgl" : ""));
await page.waitForSelector("html[data-ready]", { timeout: 60_000 });
told.ready = await page.evaluate(() => performance.getEntriesByName("ready")[0].startTime);
if (has("--webgl")) await page.waitForSelector('html[data-map="webgl"]', { timeout: 60_000 }).catch(() => {});

const axe = has("--axe") ? readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8") : null;
for (const theme of ["light", "dark"])
  for (const lang of ["en", "es", "pt"]) {
    await page.select("#theme", theme);
    await page.select("#lang", lang);
    await page.evaluate(() => {
      for (const at of document.querySelectorAll("details")) at.open = true;
      document.querySelector("#listed tbody tr:first-child:not(.is-chosen)")?.click();
      for (const box of document.querySelectorAll("#layers input")) box.checked || box.click();
    });
    told.languages[lang] = await page.evaluate(() => document.querySelector("main").innerText);
    if (!axe) continue;
    await page.evaluate(axe);
    const found = await page.evaluate(() => axe.run({ resultTypes: ["violations"] }));
    for (const { id, impact, nodes } of found.violations) told.axe.push({ theme, lang, id, impact, where: nodes.slice(0, 3).map((node) => node.html.slice(0, 160)) });
  }

// The list, with the keyboard: what is chosen is told and stands out.
const first = await page.$("#listed tbody tr:last-child th button");
if (first) {
  await first.focus();
  await page.keyboard.press("Enter");
  told.chosen = await page.evaluate(() => ({
    pressed: document.querySelector("#listed tbody tr:last-child th button").getAttribute("aria-pressed"),
    focused: document.activeElement === document.querySelector("#listed tbody tr:last-child th button"),
    card: document.querySelector("#chosen").innerText,
    label: document.querySelector("#labels .is-chosen")?.textContent,
  }));
  // By another column, and back.
  await page.click("#listed thead th:nth-child(2) button");
  told.sorted = await page.$eval("#listed thead th:nth-child(2)", (at) => at.getAttribute("aria-sort"));
}

// The timetable of a patrol, unit by unit and shift by shift.
told.tours = [];
for (const unit of await page.$$eval("#unit option", (options) => options.map((option) => option.value)).catch(() => []))
  for (const shift of await page.$$eval("#shift option", (options) => options.map((option) => option.value))) {
    await page.select("#unit", unit);
    await page.select("#shift", shift);
    told.tours.push(await page.evaluate((unit, shift) => ({ unit, shift, rows: [...document.querySelectorAll("#timetable tbody tr")].map((row) => [...row.cells].map((cell) => cell.innerText)) }), unit, shift));
  }

// The map, with the mouse and with the keyboard, and back.
const box = await (await page.$("#ground")).boundingBox();
for (const part of [0.2, 0.35, 0.5, 0.65, 0.8]) {
  await page.mouse.move(box.x + box.width * part, box.y + box.height * 0.5);
  await page.mouse.click(box.x + box.width * 0.5, box.y + box.height * part);
}
await page.focus("#ground");
for (const key of ["ArrowLeft", "ArrowUp", "+", "-", "0"]) await page.keyboard.press(key);
const slider = await page.$("#over-time:not([hidden]) #stretch");
if (slider) {
  await slider.focus();
  await page.keyboard.press("ArrowRight");
  told.stretch = await page.$eval("#stretch-said", (at) => at.textContent);
  await page.keyboard.press("Home");
}
await page.pdf({ format: "A4", printBackground: true });
told.map = await page.evaluate(() => document.documentElement.dataset.map);
told.executed = await page.evaluate(() => Boolean(window.executed));
told.elements = await page.evaluate(() => ({ scripts: document.querySelectorAll("script").length, images: document.querySelectorAll("img, iframe, object, embed, link, form").length }));
told.rows = await page.evaluate(() => document.querySelectorAll("#listed tbody tr").length);
told.title = await page.title();
told.note = await page.$eval("#map-note", (at) => at.textContent);
await browser.close();
console.log(JSON.stringify(told));
