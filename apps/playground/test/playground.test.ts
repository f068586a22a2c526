import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { folder as correction } from '@foretoken/model-english-correction';
import { folder as translation } from '@foretoken/model-multi30k-en-de';
import { folder as shakespeare } from '@foretoken/model-tinyshakespeare';
import { type LoadedModel, loadModel } from '@foretoken/models';
import { readTrace } from '@foretoken/streams';
import type { Browser, Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findChromium, launchChromium } from '../../../packages/models/test/browser/chromium.js';
import { StaticServer } from '../../../packages/models/test/browser/static-server.js';
import { RECORDINGS } from '../scripts/recordings.js';
import { firstChoice, fromHash, MOST_STRATEGIES, type RaceChoice, toHash } from '../src/app/share-link.js';
import { createDecoder } from '../src/run/create-decoder.js';
import { STRATEGIES } from '../src/run/strategies.js';
import { TASKS, type TaskId } from '../src/run/tasks.js';
import { resultOf } from '../src/trace/trace.js';
import { COMMON_VIEWS, OWN_VIEWS } from '../src/views/all-views.js';
import {
  LOOKS,
  lookAs,
  MADE,
  openPage,
  overflowOf,
  PICTURES,
  pictureOf,
  shiftsOf,
  violationsOf,
} from './chromium-pages.js';

const CONFIG = fileURLToPath(new URL('../vite.config.ts', import.meta.url));
const OUT = join(MADE, `site-${process.pid}`);
const TRACES = fileURLToPath(new URL('../traces/', import.meta.url));
const FOLDERS: Readonly<Record<TaskId, string>> = {
  correct: correction,
  translate: translation,
  shakespeare,
};

/** Every strategy of every task, as many together as race at most. */
const RACES: readonly RaceChoice[] = TASKS.flatMap(({ id: task, examples }) => {
  const names = STRATEGIES.filter(({ tasks }) => tasks.includes(task)).map(({ id }) => id);
  const groups = Array.from({ length: Math.ceil(names.length / MOST_STRATEGIES) }, (_, group) =>
    names.slice(group * MOST_STRATEGIES, (group + 1) * MOST_STRATEGIES),
  );
  return groups.map((strategies): RaceChoice => ({ task, input: examples[0], seed: 3, strategies, options: {} }));
});

const chromium = findChromium();
if (chromium === undefined) console.warn('No Chromium was found, so the playground was not tested in one.');

describe.skipIf(chromium === undefined)('the playground in Chromium', () => {
  let browser: Browser;
  let server: StaticServer;

  beforeAll(async () => {
    rmSync(PICTURES, { recursive: true, force: true });
    await build({ configFile: CONFIG, logLevel: 'error', build: { outDir: OUT, emptyOutDir: true } });
    server = await StaticServer.open({ '/': OUT });
    browser = await launchChromium(chromium as string);
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
    rmSync(OUT, { recursive: true, force: true });
  });

  /** Waits until the race that was asked for has ended, well or not. */
  const finished = (page: Page, { strategies, input }: Pick<RaceChoice, 'strategies' | 'input'>): Promise<unknown> =>
    page.waitForFunction(
      ({ lanes, sentence }) => {
        const { stage } = document.querySelector<HTMLElement>('.app-status')?.dataset ?? {};
        if (stage === 'failed') return true;
        const { input: shown } = document.querySelector<HTMLElement>('.app-race')?.dataset ?? {};
        const names = [...document.querySelectorAll<HTMLElement>('.ft-lane')].map(({ dataset }) => dataset.strategy);
        return stage === 'done' && shown === sentence && names.join() === lanes;
      },
      { lanes: strategies.join(), sentence: input },
    );

  /** Token ids of each lane that is shown. */
  const lanesOf = (page: Page): Promise<Record<string, number[]>> =>
    page.evaluate(() =>
      Object.fromEntries(
        [...document.querySelectorAll<HTMLElement>('.ft-lane')].map(({ dataset }) => [
          dataset.strategy,
          (dataset.tokenIds ?? '').split(' ').map(Number),
        ]),
      ),
    );

  describe('a page', () => {
    let page: Page;
    let problems: string[];
    const first = firstChoice('correct');

    beforeAll(async () => {
      ({ page, problems } = await openPage(browser, server.url, LOOKS[0]));
    });
    afterAll(() => page?.context().close());

    async function race(choice: RaceChoice): Promise<void> {
      await page.evaluate((hash) => {
        location.hash = hash;
      }, toHash(choice));
      await finished(page, choice);
    }

    it('races the default strategies as soon as it is open, and tells when the first token came', async () => {
      await finished(page, first);
      // What one race needs of JavaScript, packed, without ONNX Runtime's own.
      const scripts = new Set(server.requests.filter((path) => path.endsWith('.js') && !path.includes('/ort.')));
      const bytes = [...scripts].map((path) => gzipSync(readFileSync(join(OUT, path)), { level: 9 }).length);
      expect(bytes.reduce((sum, one) => sum + one, 0)).toBeLessThan(120_000);
      expect(scripts.size).toBeGreaterThan(1);
      expect(await page.textContent('.app-status')).toMatch(
        /^The first token came \d+\.\d\d s after this page was opened\./,
      );
      expect(problems).toEqual([]);
    });

    it('is played and stepped by keyboard', async () => {
      const moment = (): Promise<number> =>
        page.$eval('.ft-transport input[type="range"]', (input) => (input as HTMLInputElement).valueAsNumber);
      await page.focus('.ft-replay');
      const end = await moment();
      await page.keyboard.press('ArrowLeft');
      const before = await moment();
      expect(before).toBeLessThan(end);
      await page.keyboard.press('ArrowRight');
      expect(await moment()).toBeGreaterThan(before);
      const playing = (): Promise<string | null> => page.getAttribute('.ft-replay', 'data-playing');
      // From the beginning it plays for seconds.
      while ((await moment()) > 0) await page.keyboard.press('ArrowLeft');
      await page.keyboard.press(' ');
      expect(await playing()).toBe('true');
      await page.keyboard.press(' ');
      expect(await playing()).toBe('false');
    });

    it('says why a box cannot be changed, and what a link asked for in vain', async () => {
      const boxes = page.locator('.app-strategies input');
      const hint = (): Promise<string | null> => page.textContent('#strategies-hint');
      expect(await hint()).toContain('race at most');
      await race({ ...first, strategies: ['greedy'] });
      expect(await boxes.first().isDisabled()).toBe(true);
      expect(await boxes.first().getAttribute('aria-describedby')).toBe('strategies-hint');
      expect(await hint()).toContain('One strategy has to stay');
      expect(await page.locator('[role="note"]').count()).toBe(0);
      await page.evaluate((hash) => {
        location.hash = `${hash}&colour=red`;
      }, toHash(first));
      await finished(page, first);
      expect(await page.textContent('[role="note"]')).toContain('colour=red');
      await race({ ...first, strategies: ['greedy', 'ctc'] });
      expect(await page.locator('[role="note"]').count()).toBe(0);
      await race(first);
    });

    it('takes another sentence, and puts it into the address', async () => {
      const input = 'she go to school';
      await page.fill('#input', input);
      await page.press('#input', 'Enter');
      await finished(page, { ...first, input });
      expect(fromHash(new URL(page.url()).hash)).toMatchObject({ input, strategies: first.strategies });
      const { greedy, 'speculative-copy': speculative } = await lanesOf(page);
      expect(speculative).toEqual(greedy);
    });

    it('says in words what is wrong with a sentence, and goes on with the next', async () => {
      const long = { ...first, input: 'word '.repeat(400) };
      await race(long);
      expect(await page.getAttribute('.app-status', 'data-stage')).toBe('failed');
      expect(await page.textContent('.app-status')).toContain('256');
      await page.evaluate((hash) => {
        location.hash = hash;
      }, toHash(first));
      await page.waitForFunction(() => document.querySelector('.app-status')?.getAttribute('data-stage') !== 'failed');
      await finished(page, first);
      expect(problems).toEqual([]);
    });

    describe.each(TASKS)('$label', ({ id: task }) => {
      let native: LoadedModel;
      beforeAll(async () => {
        native = await loadModel(FOLDERS[task], { probe: false, threads: 1 });
      });
      afterAll(() => native.dispose());

      describe.each(RACES.filter((choice) => choice.task === task))('$strategies', (choice) => {
        it('gives the tokens that Node gives', async () => {
          await race(choice);
          const expected: Record<string, number[]> = {};
          for (const strategy of STRATEGIES.filter(({ id }) => choice.strategies.includes(id))) {
            const decoder = await createDecoder(strategy, native, {});
            const { tokenIds } = await native.decode(choice.input, decoder, { seed: choice.seed });
            expected[strategy.id] = [...tokenIds];
          }
          expect(await lanesOf(page)).toEqual(expected);
          expect(problems).toEqual([]);
        });

        it.each(LOOKS)('has no fault that axe finds and overflows nowhere at $width px, $colorScheme', async (look) => {
          await lookAs(page, look);
          for (const [lane, strategy] of choice.strategies.entries()) {
            if (choice.strategies.length > 1) await page.locator('.ft-choice input').nth(lane).check();
            for (const view of await page.locator('.ft-view').all()) {
              const name = `${await view.getAttribute('data-view')}-${strategy}`;
              // One picture of each view of one race, and of what a strategy has of its own.
              if (lane > 0 && /^(timeline|curve)/.test(name)) continue;
              await view.screenshot({ path: pictureOf(`${task}-${name}`, look) });
            }
            expect(await violationsOf(page)).toEqual([]);
            expect(await overflowOf(page)).toBe(0);
          }
          await page.screenshot({ path: pictureOf(`${task}-${choice.strategies.join('+')}`, look), fullPage: true });
          expect(problems).toEqual([]);
        });
      });
    });
  });

  it.each(LOOKS)('has made a picture of every view at $width px, $colorScheme', (look) => {
    const pictures = readdirSync(dirname(pictureOf('any', look)));
    const missing = [...COMMON_VIEWS, ...OWN_VIEWS].filter(
      ({ id }) => !pictures.some((name) => TASKS.some((task) => name.startsWith(`${task.id}-${id}-`))),
    );
    expect(missing.map(({ id }) => id)).toEqual([]);
  });

  it('replays what was recorded without a model', async () => {
    server.requests.length = 0;
    for (const { strategies } of RECORDINGS) {
      const names = Object.keys(strategies);
      const address = `${server.url}replay.html#traces=${names.join('+')}`;
      const { page, problems } = await openPage(browser, address, LOOKS[1]);
      await page.waitForSelector('.ft-lane');
      const recorded = names.map((name) => [
        ...resultOf(readTrace(readFileSync(join(TRACES, `${name}.jsonl`), 'utf8'))).best.tokenIds,
      ]);
      expect(Object.values(await lanesOf(page))).toEqual(recorded);
      expect(await violationsOf(page)).toEqual([]);
      await lookAs(page, LOOKS[2]);
      expect(await violationsOf(page)).toEqual([]);
      expect(await overflowOf(page)).toBe(0);
      expect(problems).toEqual([]);
      await page.context().close();
    }
    expect(server.requests.filter((path) => /models|wasm/.test(path))).toEqual([]);
    const { page } = await openPage(browser, `${server.url}replay.html#traces=nothing`, LOOKS[0]);
    await page.waitForFunction(() => document.querySelector('#replay')?.textContent?.includes('nothing'));
    await page.context().close();
  });

  it.each([LOOKS[0], LOOKS[2]])('moves nothing while it decodes and replays, at $width px', async (look) => {
    const { page } = await openPage(browser, server.url, look, 'no-preference');
    await finished(page, firstChoice('correct'));
    await page.evaluate(() => document.querySelector('.ft-replay')?.scrollIntoView());
    // It plays by itself once it is seen, to its end.
    await page.waitForFunction(() => {
      const moment = document.querySelector<HTMLInputElement>('.ft-transport input[type="range"]');
      return moment !== null && moment.valueAsNumber > 0 && moment.valueAsNumber > 0.99 * Number(moment.max);
    });
    expect(await shiftsOf(page)).toEqual([]);
    await page.context().close();
  });
});
