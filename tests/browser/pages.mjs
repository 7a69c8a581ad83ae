// Opens pages of a report as a reader would, uses everything on them, and prints what went wrong as a JSON list.
// Usage: node pages.mjs TOOLS REPORT ROLE PARTY [thorough]; REPORT is the folder `report`, ROLE and PARTY are names of pages
// in it; `thorough` looks at them in the dark and without their script as well.
import { readdirSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { join } from "node:path";
import { open } from "./open.mjs";

const [tools, report, role, party, thorough] = process.argv.slice(2);
const { browser, axe } = await open(tools);
const problems = [];
const wrong = (where, what) => problems.push(`${where}: ${what}`);
const check = (where, holds, what) => { if (!holds) { wrong(where, what); } };
const href = (page) => pathToFileURL(join(report, page)).href;

/** A page on which nothing may be said, asked for or run. */
async function watched(options, where) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.on("console", (message) => { if (["error", "warning"].includes(message.type())) { wrong(where, `console: ${message.text()}`); } });
  page.on("pageerror", (error) => wrong(where, `error: ${error.message}`));
  page.on("dialog", (dialog) => { wrong(where, `a stranger's script ran: ${dialog.message()}`); dialog.dismiss(); });
  page.on("request", (request) => { if (!/^(file|data|blob):/.test(request.url())) { wrong(where, `request: ${request.url()}`); } });
  return { context, page };
}

async function accessible(page, where) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  for (const one of found.violations.filter((one) => ["serious", "critical"].includes(one.impact))) {
    wrong(where, `axe: ${one.id}: ${one.nodes.length} times, such as ${one.nodes[0].html.slice(0, 200)} ${one.nodes[0].failureSummary}`);
  }
}

const rows = (page, table) => page.locator(`${table} tbody tr:visible`);
const texts = async (page, table, column) => (await page.locator(`${table} tbody tr td:nth-child(${column})`).allTextContents()).map((text) => text.trim());
const isSorted = (list, compare) => list.every((item, at) => at === 0 || compare(list[at - 1], item) <= 0);

async function index(page) {
  const where = "index";
  const all = await rows(page, "#t-roles").count();
  check(where, all > 3, `only ${all} roles`);
  const name = (await texts(page, "#t-roles", 1))[1];
  await page.fill("form[data-for=t-roles] input", name.toLowerCase());
  const found = await texts(page, "#t-roles", 1);
  check(where, found.length >= 1 && found.length < all && found.includes(name), `search for ${name} shows ${found}`);
  await page.fill("form[data-for=t-roles] input", "no such role anywhere");
  check(where, (await rows(page, "#t-roles").count()) === 0, "a search for nothing shows something");
  await page.click("form[data-for=t-roles] button[type=reset]");
  await page.waitForFunction((all) => document.querySelectorAll("#t-roles tbody tr").length === all, all);

  const severity = (await page.locator("form[data-for=t-roles] select[name=severity] option").allTextContents())[1];
  await page.selectOption("form[data-for=t-roles] select[name=severity]", severity);
  check(where, (await texts(page, "#t-roles", 10)).every((text) => text.startsWith(severity)), `the filter ${severity} lets others through`);
  await page.click("form[data-for=t-roles] button[type=reset]");
  await page.waitForFunction((all) => document.querySelectorAll("#t-roles tbody tr").length === all, all);

  // By keyboard: numbers the largest first, names from A on.
  const number = (text) => (text === "" || Number.isNaN(parseFloat(text)) ? -1 : parseFloat(text.replace(/,/g, "")));
  await page.locator("#t-roles th:nth-child(6) button").focus();
  await page.keyboard.press("Enter");
  check(where, isSorted((await texts(page, "#t-roles", 6)).map(number), (a, b) => b - a), "sessions are not sorted");
  check(where, (await page.getAttribute("#t-roles th:nth-child(6)", "aria-sort")) === "descending", "no aria-sort");
  await page.keyboard.press("Enter");
  check(where, isSorted((await texts(page, "#t-roles", 6)).map(number), (a, b) => a - b), "sessions are not sorted the other way");
  await page.click("#t-roles th:nth-child(1) button");
  check(where, isSorted((await texts(page, "#t-roles", 1)).map((text) => text.toLowerCase()), (a, b) => (a < b ? -1 : a > b ? 1 : 0)), "names are not sorted");

  const kinds = await page.locator("form[data-for=t-parties] select[name=kind] option").evaluateAll((all) => all.map((one) => one.value));
  await page.selectOption("form[data-for=t-parties] select[name=kind]", kinds[1]);
  const parties = await page.locator("#t-parties tbody tr").evaluateAll((all) => all.map((one) => one.dataset.kind));
  check(where, parties.length > 0 && parties.every((kind) => kind === kinds[1]), `the kind ${kinds[1]} shows ${parties}`);

  const theme = page.locator(".themes a").first();
  if (await theme.count()) {
    const codes = (await theme.getAttribute("data-codes")).split(" ");
    await theme.click();
    const shown = await page.locator("#t-findings tbody tr").evaluateAll((all) => all.map((one) => one.dataset.code));
    check(where, shown.length > 0 && shown.every((code) => codes.includes(code)), `a theme shows ${shown}`);
    check(where, (await theme.getAttribute("aria-pressed")) === "true", "a theme does not say that it is on");
    await theme.click();
  }
  const more = page.locator(".pager[data-for=t-findings] button").last();
  if (await more.isVisible()) {
    const before = await rows(page, "#t-findings").count();
    await more.click();
    check(where, (await rows(page, "#t-findings").count()) > before, "there is no more of the findings");
  }
}

async function rolePage(page) {
  const where = "role";
  await page.evaluate(() => document.querySelectorAll("details").forEach((one) => { one.open = true; }));
  const first = page.locator(".with-copy:visible").first();
  await first.locator("button").click();
  await page.waitForFunction(() => document.querySelector("#said").textContent === "Copied");
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  check(where, copied !== "" && copied === (await first.locator("pre").textContent()).replace(/\n$/, ""), `copied ${JSON.stringify(copied)}`);

  const side = page.locator(".diff.side").first();
  const unified = page.locator(".diff.unified").first();
  check(where, (await side.isVisible()) && !(await unified.isVisible()), "differences do not begin side by side");
  await page.check("#unified");
  check(where, !(await side.isVisible()) && (await unified.isVisible()), "differences do not become unified");
  await page.check("#side");
  check(where, (await side.isVisible()) && !(await unified.isVisible()), "differences do not go back");

  const verdicts = await page.locator("form[data-for=t-ledger] select[name=verdict] option").evaluateAll((all) => all.map((one) => one.value));
  await page.selectOption("form[data-for=t-ledger] select[name=verdict]", verdicts[1]);
  const shown = await page.locator("#t-ledger tbody tr").evaluateAll((all) => all.map((one) => one.dataset.verdict));
  check(where, shown.length > 0 && shown.every((one) => one === verdicts[1]), `the verdict ${verdicts[1]} shows ${shown}`);
  check(where, (await page.locator("#graph svg rect").count()) > 0, "no access graph");
}

async function colours(page, where) {
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const bar = () => page.evaluate(() => { const one = document.querySelector("svg rect"); return one ? getComputedStyle(one).fill : ""; });
  const [light, chart] = [await background(), await bar()];
  await page.click("#theme");
  const dark = await background();
  check(where, dark !== light, "the dark looks like the light");
  check(where, chart === "" || (await bar()) !== chart, "charts do not become dark");
  await page.reload();
  check(where, (await background()) === dark, "the choice is forgotten");
  await page.click("#theme");
  check(where, (await background()) === light, "there is no way back to the light");
}

async function paper(page, where) {
  await page.emulateMedia({ media: "print" });
  check(where, !(await page.locator("#theme").isVisible()) && (await page.locator(".filters:visible").count()) === 0, "controls are printed");
  await page.emulateMedia({ media: "screen" });
}

const account = readdirSync(join(report, "accounts")).sort()[0];
const pages = [
  ["index", "index.html"], ["role", `roles/${role}`], ["party", `parties/${party}`], ["account", `accounts/${account}`],
  ["sign-off", "../sign-off.html"],
];
for (const [where, at] of pages) {
  const { context, page } = await watched({ colorScheme: "light" }, where);
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.goto(href(at));
  await page.keyboard.press("Tab");
  check(where, (await page.evaluate(() => document.activeElement.className)) === "skip", "the first stop is not the way to the content");
  check(where, (await page.evaluate(() => document.documentElement.scrollWidth)) <= 1280, "wider than the window");
  await accessible(page, `${where} in the light`);
  if (where === "index") { await index(page); }
  if (where === "role") { await rolePage(page); }
  await colours(page, where);
  await paper(page, where);
  await page.setViewportSize({ width: 400, height: 800 });
  check(where, (await page.evaluate(() => document.documentElement.scrollWidth)) <= 400, "wider than a narrow window");
  await context.close();
  if (!thorough) { continue; }

  const dark = await watched({ colorScheme: "dark" }, `${where} in the dark`);
  await dark.page.goto(href(at));
  await accessible(dark.page, `${where} in the dark`);
  await dark.context.close();

  const plain = await watched({ javaScriptEnabled: false }, `${where} without its script`);
  await plain.page.goto(href(at));
  check(where, (await plain.page.locator("table tbody tr:visible").count()) > 0, "nothing to read without the script");
  check(where, (await plain.page.locator(".filters:visible").count()) === 0, "controls that do nothing");
  await plain.context.close();
}
await browser.close();
console.log(JSON.stringify(problems));
