import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const CHECK = fileURLToPath(new URL('../.vitepress/check-links.mjs', import.meta.url));
let site: string;
beforeEach(() => {
  site = mkdtempSync(join(tmpdir(), 'foretoken-site-'));
});
afterEach(() => rmSync(site, { recursive: true }));

function check(pages: Readonly<Record<string, string>>): { status: number | null; stderr: string } {
  for (const [name, html] of Object.entries(pages)) {
    mkdirSync(dirname(join(site, name)), { recursive: true });
    writeFileSync(join(site, name), html);
  }
  return spawnSync(process.execPath, [CHECK, site], { encoding: 'utf8' });
}

describe('links of the built pages', () => {
  it.each(['guide', 'zh/guide'])('of %s lead to pages and headings', (folder) => {
    const b = '<h2 id="测量">x</h2>';
    const good = `<a href="./b.html#${encodeURIComponent('测量')}"></a><a class="x" href="./b#测量"></a>`;
    expect(check({ [`${folder}/a.html`]: good, [`${folder}/b.html`]: b })).toMatchObject({ status: 0, stderr: '' });
    const bad = check({ [`${folder}/a.html`]: '<a href="./b#没有"></a><a href="./c"></a>' });
    expect(bad.status).toBe(1);
    expect(bad.stderr).toBe(`/${folder}/a: ./b#没有 leads to no heading\n/${folder}/a: ./c leads to no page\n`);
  });

  it('are not well where there are no pages', () => {
    expect(check({})).toMatchObject({ status: 1, stderr: expect.stringContaining('no page') });
  });
});
