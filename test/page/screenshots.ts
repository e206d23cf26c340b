/** Pictures of the live page for the README: light, dark, narrow. Run by scripts/screenshots.mjs. */
import { join } from 'node:path';
import type { BrowserContextOptions } from 'playwright-core';
import { openPage } from '../../brain/page/server.ts';
import { projectRoot } from '../../scripts/tools.mjs';
import { silentLog } from '../../shared/log.ts';
import { openBrowser, openTab } from './browser.ts';
import { play, type Role } from './scene.ts';

const cast: readonly Role[] = [
  { id: 'm-7', vm: 'mail-2', from: 'rack4-n11', to: 'rack4-n02', trace: 'moderate-7.2' },
  { id: 'm-6', vm: 'web-frontend-1', from: 'rack4-n11', to: 'rack4-n03', trace: 'sparse-10.0' },
  { id: 'm-5', vm: 'build-runner-3', from: 'rack4-n11', to: 'rack4-n05', trace: 'text-10.0' },
  { id: 'm-4', vm: 'ci-cache', from: 'rack4-n11', to: 'rack4-n05', trace: 'text-7.2', share: 0.6 },
  {
    id: 'm-3',
    vm: 'analytics-eu',
    from: 'rack4-n11',
    to: 'rack4-n03',
    trace: 'moderate-10.0',
    share: 0.55,
  },
  {
    id: 'm-2',
    vm: 'queue-broker',
    from: 'rack4-n11',
    to: 'rack4-n02',
    trace: 'ladder-7.2',
    share: 0.9,
  },
  {
    id: 'm-1',
    vm: 'orders-db',
    from: 'rack4-n11',
    to: 'rack4-n02',
    trace: 'random-qemu-7.2',
    share: 0.72,
  },
];

interface View {
  /** The migration that is open. */
  readonly open: string;
  readonly options: BrowserContextOptions;
}

const views: Readonly<Record<string, View>> = {
  'page-light': {
    open: 'm-1',
    options: { colorScheme: 'light', viewport: { width: 1360, height: 1120 } },
  },
  'page-dark': {
    open: 'm-2',
    options: { colorScheme: 'dark', viewport: { width: 1360, height: 1120 } },
  },
  'page-narrow': {
    open: 'm-1',
    options: { colorScheme: 'light', viewport: { width: 390, height: 844 } },
  },
};

const folder = process.argv[2] ?? join(projectRoot, 'docs/images');
const page = await openPage({ address: { host: '127.0.0.1', port: 0 }, log: silentLog });
const browser = await openBrowser();
try {
  for (const role of cast) play(page.listener, role);
  for (const [name, { open, options }] of Object.entries(views)) {
    const { tab, faults } = await openTab(browser, `${page.url}#open=${open}`, {
      ...options,
      deviceScaleFactor: 1.5,
    });
    await tab.locator('.decisions button').first().waitFor();
    await tab.locator('.decisions button').first().click();
    await tab.mouse.move(0, 0);
    await tab.locator('.title').scrollIntoViewIfNeeded();
    const path = join(folder, `${name}.png`);
    await tab.screenshot({ path });
    process.stdout.write(`${path}${faults.map((fault) => `\n  ${fault}`).join('')}\n`);
  }
} finally {
  await browser.close();
  await page.close();
}
