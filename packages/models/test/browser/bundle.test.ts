import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { folder as model } from '@foretoken/model-multi30k-en-de';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import webpack from 'webpack';
import { findChromium, launchChromium } from './chromium.js';
import { StaticServer } from './static-server.js';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const CACHE = join(ROOT, `node_modules/.cache/bundle-${process.pid}`);
const GUIDE = readFileSync(join(ROOT, 'docs/guide/browser.md'), 'utf8');

/** The first block of a language in the guide. */
function blockOf(language: string): string {
  return new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'ms').exec(GUIDE)?.[1] as string;
}

/** A project as the guide describes it: a page and a script, and no configuration. */
function project(name: string): string {
  const folder = join(CACHE, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'index.html'), blockOf('html'));
  writeFileSync(join(folder, 'main.js'), blockOf('js'));
  return folder;
}

const BUNDLERS: Readonly<Record<string, (folder: string) => Promise<void>>> = {
  async vite(root) {
    await build({ root, configFile: false, logLevel: 'error' });
  },
  async webpack(context) {
    await new Promise<void>((resolve, reject) => {
      const output = { path: join(context, 'dist'), filename: 'main.js' };
      webpack({ context, mode: 'production', entry: './main.js', output }, (error, stats) => {
        if (error !== null) reject(error);
        else if (stats?.hasErrors()) reject(new Error(stats.toString('errors-only')));
        else resolve();
      });
    });
    writeFileSync(join(context, 'dist', 'index.html'), blockOf('html'));
  },
};

/** What only Node has: its modules, by import or require. */
const NODE_ONLY = /\bfrom\s*["']node:|\bimport\s*\(?\s*["'`]node:|\brequire\(["'`]node:|["'`]node:[a-z_/]+["'`]/;

afterAll(() => rmSync(CACHE, { recursive: true, force: true }));

// What is published is bundled, so the packages must be built before.
describe('the packages as they are published', () => {
  it('hold nothing of Node in what bundlers for browsers take', async () => {
    const root = project('alone');
    await build({
      root,
      configFile: false,
      logLevel: 'error',
      // ONNX Runtime's own code looks for Node itself.
      build: { rolldownOptions: { external: /^onnxruntime-web/ }, minify: false },
    });
    const assets = join(root, 'dist/assets');
    const code = readdirSync(assets)
      .map((file) => readFileSync(join(assets, file), 'utf8'))
      .join('\n');
    expect(code).toContain('foretoken.json');
    expect(NODE_ONLY.exec(code)?.[0]).toBeUndefined();
  });
});

const chromium = findChromium();

describe.skipIf(chromium === undefined)('the page of the guide, bundled without configuration', () => {
  let browser: Awaited<ReturnType<typeof launchChromium>>;
  beforeAll(async () => {
    browser = await launchChromium(chromium as string);
  });
  afterAll(async () => {
    await browser?.close();
  });

  it.each(Object.keys(BUNDLERS))('by %s, shows a translation', async (name) => {
    const folder = project(name);
    await BUNDLERS[name]?.(folder);
    expect(existsSync(join(folder, 'dist/index.html'))).toBe(true);
    const server = await StaticServer.open({ '/model/': model, '/': join(folder, 'dist') });
    try {
      const tab = await browser.newPage();
      tab.setDefaultTimeout(0);
      const problems: string[] = [];
      tab.on('pageerror', (error) => problems.push(String(error)));
      await tab.goto(server.url);
      const shown = 'document.querySelector("#output").textContent';
      await expect
        .poll(async () => (problems.length > 0 ? problems.join() : await tab.evaluate(shown)), { timeout: 300_000 })
        .toMatch(/\.$/);
      expect(await tab.evaluate(shown)).toBe('Ein Mann fährt Fahrrad.');
      expect(await tab.evaluate('document.querySelector("#progress").value')).toBe(1);
      expect(problems).toEqual([]);
    } finally {
      server.close();
    }
  });
});
