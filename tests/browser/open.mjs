// The installed Chromium, started once, with nothing that would reach for the network by itself.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";

export async function open(tools) {
  const require = createRequire(join(tools, "from-here.js"));
  const { chromium } = require("playwright-core");
  const browser = await chromium.launch({
    executablePath: process.env.THIRDTRAIL_CHROMIUM || "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"],
  });
  const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
  return { browser, axe };
}
