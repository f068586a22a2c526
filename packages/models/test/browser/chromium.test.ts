import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { findChromium } from './chromium.js';

// A machine may have the browser that playwright downloads.
vi.mock('playwright-core', () => ({ chromium: { executablePath: () => '/nowhere/chrome' } }));

const SUMMARY = fileURLToPath(new URL('../../../../scripts/skipped-tests.mjs', import.meta.url));

describe('a machine without a browser', () => {
  const empty = mkdtempSync(join(tmpdir(), 'foretoken-no-browser-'));
  afterEach(() => vi.unstubAllEnvs());

  function without(required: string): void {
    for (const [name, value] of [
      ['CHROME_PATH', ''],
      ['PATH', empty],
      ['FORETOKEN_REQUIRE_BROWSER', required],
    ] as const) {
      vi.stubEnv(name, value);
    }
  }

  it('skips tests in a browser, and fails them where a browser is required', () => {
    without('');
    expect(findChromium()).toBeUndefined();
    without('1');
    expect(() => findChromium()).toThrow(/FORETOKEN_REQUIRE_BROWSER is 1.*install-chromium/);
  });

  it('is told at the end of the run, test by test', () => {
    const file = join(empty, 'report.json');
    const name = join(empty, 'browser.test.ts');
    writeFileSync(name, `describe.skipIf(chromium === undefined)('in Chromium', () => {});`);
    const assertionResults = [
      { status: 'passed', fullName: 'adds' },
      { status: 'skipped', fullName: 'in Chromium decodes' },
    ];
    writeFileSync(
      file,
      JSON.stringify({
        numPassedTests: 1,
        numFailedTests: 0,
        testResults: [{ name, assertionResults }],
      }),
    );
    const { stdout } = spawnSync(process.execPath, [SUMMARY, file, '0'], { encoding: 'utf8' });
    expect(stdout).toMatch(
      /^SKIPPED 1 tests:\n {2}.*browser.test.ts\n {4}in Chromium decodes\nNOT TESTED IN A BROWSER/,
    );
    expect(stdout).toMatch(/\n1 passed, 0 failed\n$/);
    rmSync(empty, { recursive: true });
  });
});
