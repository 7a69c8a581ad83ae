// Measures how long the index of a report takes until it can be used: `node load.mjs TOOLS REPORT`. Asserts nothing.
import { pathToFileURL } from "node:url";
import { statSync } from "node:fs";
import { join } from "node:path";
import { open } from "./open.mjs";

const [tools, report] = process.argv.slice(2);
const { browser } = await open(tools);
const index = join(report, "index.html");
const loads = [];
const searches = [];
for (let round = 0; round < 5; round += 1) {
  const page = await (await browser.newContext()).newPage();
  const started = performance.now();
  await page.goto(pathToFileURL(index).href, { waitUntil: "load" });
  // Interactive: the script has run, a frame was painted, and the page answers.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0))));
  loads.push(performance.now() - started);
  searches.push(await page.evaluate(() => {
    const field = document.querySelector("form[data-for=t-roles] input");
    const started = performance.now();
    field.value = "role-19";
    field.dispatchEvent(new Event("input", { bubbles: true }));
    document.body.getBoundingClientRect();
    return performance.now() - started;
  }));
  await page.close();
}
await browser.close();
const middle = (list) => Math.round(list.sort((a, b) => a - b)[2]);
console.log(`index: ${(statSync(index).size / 1e6).toFixed(2)} MB, interactive after ${middle(loads)} ms, a search takes ${middle(searches)} ms (medians of 5)`);
