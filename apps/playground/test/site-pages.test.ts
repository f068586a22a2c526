import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findChromium, launchChromium } from '../../../packages/models/test/browser/chromium.js';
import { StaticServer } from '../../../packages/models/test/browser/static-server.js';
import { LOOKS, lookAs, openPage, overflowOf, violationsOf } from './chromium-pages.js';

const SITE = fileURLToPath(new URL('../../../docs/.vitepress/dist/', import.meta.url));
/** Each kind of page: home, pictures, replays, code, wide tables, a plugin, the reference, Chinese. */
const PAGES = [
  ...['index', 'guide/why', 'guide/quick-start', 'guide/seen-at-work', 'guide/coming-from', 'guide/errors'],
  ...['guide/integrations', 'guide/write-a-model', 'guide/glossary', 'plugins/speculative', 'api/index'],
  ...['zh/index', 'zh/guide/choosing', 'zh/guide/coming-from'],
];

const chromium = findChromium();
const built = existsSync(SITE);
if (chromium === undefined || !built) {
  console.warn(
    `The pages of the site were not looked at: ${built ? 'no Chromium was found' : 'the site is not built'}.`,
  );
}

describe.skipIf(chromium === undefined || !built)('the site in Chromium', () => {
  let browser: Browser;
  let server: StaticServer;
  beforeAll(async () => {
    server = await StaticServer.open({ '/': SITE });
    browser = await launchChromium(chromium as string);
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  it.each(PAGES)('%s has no fault that axe finds, and no page is wider than its window', async (name) => {
    const { page, problems } = await openPage(browser, `${server.url}${name}.html`, LOOKS[0]);
    await page.waitForSelector('.VPContent h1');
    for (const look of LOOKS) {
      await lookAs(page, look);
      expect(await violationsOf(page), `${look.width} px, ${look.colorScheme}`).toEqual([]);
      expect(await overflowOf(page), `${look.width} px`).toBe(0);
    }
    // A wide table scrolls by itself, so that its columns keep a width in which words fit.
    const narrow = await page.$$eval('.vp-doc table', (tables) =>
      tables
        // Those of a replay lie in a box that scrolls.
        .filter((table) => table.closest('.replay') === null && getComputedStyle(table).overflowX !== 'auto')
        .map(({ textContent }) => textContent?.slice(0, 40)),
    );
    expect(narrow).toEqual([]);
    expect(problems).toEqual([]);
    await page.context().close();
  });
});
