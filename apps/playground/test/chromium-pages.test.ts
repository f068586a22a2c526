import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findChromium, launchChromium } from '../../../packages/models/test/browser/chromium.js';
import { StaticServer } from '../../../packages/models/test/browser/static-server.js';
import { LOOKS, openPage, overflowOf, shiftsOf, violationsOf } from './chromium-pages.js';

/** A page without a fault, and what each fault adds to it. */
const PAGE = (more: string): string => `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title>
<link rel="icon" href="data:,"><meta name="viewport" content="width=device-width"></head>
<body style="background: white; color: black; margin: 0"><main><h1>A page</h1>${more}</main></body></html>`;
const FAULTS = {
  none: '<p>Text.</p>',
  error: "<script>console.error('planted')</script>",
  warning: "<script>console.warn('planted')</script>",
  thrown: "<script>setTimeout(() => { throw new Error('planted'); })</script>",
  missing: '<script src="planted.js"></script>',
  contrast: '<p style="color: #bbb">Hardly to be read.</p>',
  unlabelled: '<input type="text">',
  wide: '<p style="width: 2000px">Wide.</p>',
  shift: `<p>Text.</p><script>
    requestAnimationFrame(() => requestAnimationFrame(() => {
      const block = document.createElement('div');
      block.style.height = '300px';
      document.querySelector('main').prepend(block);
      requestAnimationFrame(() => requestAnimationFrame(() => { document.body.dataset.shifted = 'true'; }));
    }));
  </script>`,
} as const;

const chromium = findChromium();
if (chromium === undefined) console.warn('No Chromium was found, so the checks of pages were not tried on faults.');

describe.skipIf(chromium === undefined)('what is looked for on every page is found where it is planted', () => {
  let folder: string;
  let browser: Browser;
  let server: StaticServer;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'foretoken-planted-'));
    for (const [name, fault] of Object.entries(FAULTS)) writeFileSync(join(folder, `${name}.html`), PAGE(fault));
    server = await StaticServer.open({ '/': folder });
    browser = await launchChromium(chromium as string);
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
    rmSync(folder, { recursive: true });
  });

  const open = (name: keyof typeof FAULTS, look = LOOKS[0]) => openPage(browser, `${server.url}${name}.html`, look);

  it('and nothing else', async () => {
    for (const look of LOOKS) {
      const { page, problems } = await open('none', look);
      expect([problems, await violationsOf(page), await overflowOf(page), await shiftsOf(page)]).toEqual([
        [],
        [],
        0,
        [],
      ]);
    }
  });

  it.each(['error', 'warning', 'thrown', 'missing'] as const)('on the console: %s', async (name) => {
    const { problems } = await open(name);
    await expect.poll(() => problems, { timeout: 600_000 }).toEqual([expect.stringMatching(/planted|404/)]);
  });

  it.each([
    ['contrast', /^color-contrast p/],
    ['unlabelled', /^label input/],
  ] as const)('by axe: %s', async (name, rule) => {
    const { page } = await open(name);
    expect(await violationsOf(page)).toEqual([expect.stringMatching(rule)]);
  });

  it('a page that is wider than its window', async () => {
    const { page } = await open('wide', LOOKS[2]);
    expect(await overflowOf(page)).toBe(2000 - 390);
  });

  it('what moves by itself', async () => {
    const { page } = await open('shift');
    await page.waitForSelector('[data-shifted]');
    await expect.poll(() => shiftsOf(page), { timeout: 600_000 }).toEqual([expect.stringMatching(/^0?\.\d+/)]);
  });
});
