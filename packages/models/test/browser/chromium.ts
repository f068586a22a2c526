import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];

/**
 * A Chromium of this machine: what `CHROME_PATH` says, one in the path, or one that playwright installed. Without one: undefined, so
 * that tests are skipped; an error where FORETOKEN_REQUIRE_BROWSER is 1, as `.ci/run` sets it once it has installed one.
 */
export function findChromium(): string | undefined {
  const { CHROME_PATH: said, FORETOKEN_REQUIRE_BROWSER: required, PATH = '' } = process.env;
  const inPath = PATH.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  const paths = [said, ...inPath, chromium.executablePath()];
  const found = paths.find((path) => path !== undefined && path !== '' && runs(path));
  if (found !== undefined || required !== '1') return found;
  throw new Error(
    'No Chromium was found, but FORETOKEN_REQUIRE_BROWSER is 1. Run node scripts/install-chromium.mjs, set CHROME_PATH, or unset it to skip the tests in a browser.',
  );
}

function runs(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A headless browser that asks nobody but the page's server for anything. */
export function launchChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    timeout: 300_000,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
