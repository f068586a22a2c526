import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';

const APP = fileURLToPath(new URL('..', import.meta.url));
/** What the tests make, ignored by git. */
export const MADE: string = join(APP, 'node_modules/.cache/playground');
/** Where pictures of the views go, a folder for each look. */
export const PICTURES: string = join(MADE, 'screenshots');
const AXE = createRequire(import.meta.url).resolve('axe-core');

export interface Look {
  readonly width: 1280 | 390;
  readonly colorScheme: 'light' | 'dark';
}

/** Both sizes in both themes. */
export const LOOKS: readonly Look[] = [
  { width: 1280, colorScheme: 'light' },
  { width: 1280, colorScheme: 'dark' },
  { width: 390, colorScheme: 'light' },
  { width: 390, colorScheme: 'dark' },
];

/** A page and what went wrong on it. */
export interface OpenPage {
  readonly page: Page;
  readonly problems: string[];
}

export async function openPage(
  browser: Browser,
  url: string,
  { width, colorScheme }: Look,
  reducedMotion: 'reduce' | 'no-preference' = 'reduce',
): Promise<OpenPage> {
  const context = await browser.newContext({ viewport: { width, height: 844 }, colorScheme, reducedMotion });
  const page = await context.newPage();
  page.setDefaultTimeout(0);
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text());
  });
  await page.addInitScript(countShifts);
  await page.goto(url);
  return { page, problems };
}

/** Shows an open page in another size and theme. */
export async function lookAs(page: Page, { width, colorScheme }: Look): Promise<void> {
  await page.setViewportSize({ width, height: 844 });
  await page.emulateMedia({ colorScheme });
}

/** Runs in the page before anything else. */
function countShifts(): void {
  const shifts: string[] = [];
  (globalThis as { shifts?: string[] }).shifts = shifts;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries() as (PerformanceEntry & {
      value: number;
      hadRecentInput: boolean;
      sources: { node?: Element }[];
    })[]) {
      if (entry.hadRecentInput) continue;
      shifts.push(`${entry.value}: ${entry.sources.map(({ node }) => node?.className ?? node?.nodeName).join(', ')}`);
    }
  }).observe({ type: 'layout-shift', buffered: true });
}

/** What moved by itself so far. */
export function shiftsOf(page: Page): Promise<string[]> {
  return page.evaluate(() => (globalThis as { shifts?: string[] }).shifts ?? ['not observed']);
}

/** Violations of axe's rules, in words; none where all is well. */
export async function violationsOf(page: Page): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.addScriptTag({ path: AXE });
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: typeof import('axe-core') };
    const { violations } = await axe.run(document);
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id} ${target.join(' ')}: ${failureSummary}`),
    );
  });
}

/** How far a page is wider than the window; 0 where nothing overflows. */
export function overflowOf(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

/** Where a picture of a page goes. */
export function pictureOf(name: string, { width, colorScheme }: Look): string {
  const folder = join(PICTURES, `${width}-${colorScheme}`);
  mkdirSync(folder, { recursive: true });
  return join(folder, `${name}.png`);
}
