import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { folder as model } from '@foretoken/model-multi30k-en-de';
import { type LoadedModel, loadModel } from '@foretoken/models';
import type { Browser, Page as Tab } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findChromium, launchChromium } from './chromium.js';
import { decodeSentences, STRATEGIES } from './decode-sentences.js';
import type { Page } from './page.js';
import { StaticServer } from './static-server.js';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const CACHE = join(ROOT, `node_modules/.cache/browser-${process.pid}`);
const SENTENCES = readFileSync(join(ROOT, 'apps/bench/data/test_2016_flickr.en'), 'utf8').split('\n').slice(0, 100);
const SUITES = [
  'greedy',
  'sampling',
  'beamSearch',
  'speculative',
  'ctcGreedy',
  'ctcPrefixBeam',
  'nat',
  'maskPredict',
  'levenshtein',
  'token forest of the model',
  'CTC lattices of the model',
  'CTC lattices of the model (draft)',
  'CTC lattices of the model (fast)',
  'DAG lattices of the model',
  'canvases of the model',
  'edits of the model',
];

const chromium = findChromium();
if (chromium === undefined) {
  console.warn('No Chromium was found, so nothing was tested in a browser. Install one, or set CHROME_PATH.');
}

describe.skipIf(chromium === undefined)('in Chromium', () => {
  let browser: Browser;
  let plain: StaticServer;
  let isolated: StaticServer;

  beforeAll(async () => {
    mkdirSync(CACHE, { recursive: true });
    const script = fileURLToPath(new URL('page.ts', import.meta.url));
    writeFileSync(join(CACHE, 'index.html'), `<!doctype html><script type="module" src="${script}"></script>`);
    await build({
      root: CACHE,
      configFile: false,
      logLevel: 'error',
      resolve: { conditions: ['foretoken-source', 'browser', 'import', 'default'] },
      build: { outDir: 'out', minify: false, target: 'es2022' },
    });
    const mounts = { '/model/': model, '/': join(CACHE, 'out') };
    plain = await StaticServer.open(mounts);
    isolated = await StaticServer.open(mounts, true);
    browser = await launchChromium(chromium as string);
  });

  afterAll(async () => {
    await browser?.close();
    for (const server of [plain, isolated]) server?.close();
    rmSync(CACHE, { recursive: true, force: true });
  });

  /** A page, and a way to ask it something. */
  async function open(server: StaticServer) {
    const tab: Tab = await browser.newPage();
    tab.setDefaultTimeout(0);
    const problems: string[] = [];
    tab.on('pageerror', (error) => problems.push(String(error)));
    await tab.goto(server.url);
    await tab.waitForFunction('globalThis.foretoken !== undefined');
    const ask = async <Name extends keyof Omit<Page, 'suites'>>(
      name: Name,
      ...args: Parameters<Page[Name]>
    ): Promise<Awaited<ReturnType<Page[Name]>>> =>
      (await tab.evaluate(`globalThis.foretoken[${JSON.stringify(name)}](...${JSON.stringify(args)})`)) as Awaited<
        ReturnType<Page[Name]>
      >;
    return { tab, ask, problems };
  }

  describe('a page that is not cross-origin isolated', () => {
    let page: Awaited<ReturnType<typeof open>>;
    let native: LoadedModel;

    beforeAll(async () => {
      page = await open(plain);
      native = await loadModel(model, { probe: false, threads: 1 });
    });
    afterAll(async () => {
      await native?.dispose();
    });

    it('loads the model from its server with one thread, telling how far it is', async () => {
      const loaded = await page.ask('load', 'model/');
      expect(loaded).toMatchObject({ threads: 1, isolated: false, cached: false });
      expect(loaded.bytes).toBe(loaded.totalBytes);
      expect(loaded.bytes).toBeGreaterThan(2 ** 20);
    });

    it('runs every suite that is there', async () => {
      expect(await page.tab.evaluate('globalThis.foretoken.suites')).toEqual(SUITES);
    });

    it.each(SUITES)('keeps the laws: %s', async (suite) => {
      const outcomes = await page.ask('conformance', suite);
      expect(outcomes.length).toBeGreaterThan(4);
      expect(outcomes.filter(({ error }) => error !== undefined)).toEqual([]);
    });

    it.each(STRATEGIES)('decodes 100 sentences to the tokens that Node gives: %s', async (strategy) => {
      const expected = await decodeSentences(native, strategy, SENTENCES);
      expect(expected.map(({ length }) => length).every((length) => length > 0)).toBe(true);
      expect(await page.ask('decode', strategy, SENTENCES)).toEqual(expected);
    });

    it('loads the second time from its cache, with the manifest alone asked for', async () => {
      expect(await page.ask('dispose')).toBe(0);
      plain.requests.length = 0;
      expect(await page.ask('load', 'model')).toMatchObject({ cached: true });
      expect(plain.requests).toEqual(['/model/foretoken.json']);
      expect(await page.ask('dispose')).toBe(0);
    });

    it('gives errors by code: nothing there, a page instead, another origin, no network, an abort', async () => {
      expect(await page.ask('refusal', 'elsewhere/')).toMatchObject({ code: 'INVALID_MODEL_FOLDER' });
      plain.pages.set('/app/foretoken.json', '<!doctype html><title>app</title>');
      const instead = await page.ask('refusal', '/app');
      expect(instead?.message).toContain('a web page');
      expect(await page.ask('refusal', isolated.url)).toMatchObject({
        code: 'NETWORK_FAILURE',
        reason: 'unreachable-or-cors',
      });
      expect(await page.ask('refusal', 'model/', true)).toEqual({ thrown: 'changed my mind' });
      await page.tab.context().setOffline(true);
      expect(await page.ask('refusal', 'model/')).toMatchObject({ code: 'NETWORK_FAILURE', reason: 'offline' });
      await page.tab.context().setOffline(false);
      expect(page.problems).toEqual([]);
    });
  });

  it('a page that is cross-origin isolated may have two threads, and the same tokens', async () => {
    const page = await open(isolated);
    expect(await page.ask('load', 'model/', 2)).toMatchObject({ threads: 2, isolated: true });
    await using native: LoadedModel = await loadModel(model, { probe: false, threads: 1 });
    const some = SENTENCES.slice(0, 10);
    expect(await page.ask('decode', 'greedy', some)).toEqual(await decodeSentences(native, 'greedy', some));
    expect(await page.ask('dispose')).toBe(0);
    expect(page.problems).toEqual([]);
  });
});
