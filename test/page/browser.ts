/** Debian's Chromium, driven by playwright-core. */
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { tools } from '../../scripts/tools.mjs';

/** A headless browser; close it. */
export function openBrowser(): Promise<Browser> {
  // Whoever builds in a container is root there, for whom Chromium has no sandbox.
  return chromium.launch({ executablePath: tools().chromium, args: ['--no-sandbox'] });
}

/** A tab on `url` that collects what goes wrong in it. */
export async function openTab(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<{ readonly tab: Page; readonly faults: readonly string[] }> {
  const context = await browser.newContext(options);
  const tab = await context.newPage();
  const faults: string[] = [];
  tab.on('pageerror', (error) => faults.push(error.message));
  tab.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') faults.push(message.text());
  });
  await tab.goto(url);
  return { tab, faults };
}
