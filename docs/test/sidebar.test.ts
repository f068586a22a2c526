import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CHINESE, ENGLISH } from '../.vitepress/sidebar.ts';

const fileOf = (name: string): URL => new URL(`../${name}`, import.meta.url);
const pagesOf = (folder: string): string[] =>
  readdirSync(fileOf(folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `/${folder}/${name.slice(0, -'.md'.length)}`);

describe('the sidebar', () => {
  it.each([
    ['English', ENGLISH, ['guide', 'plugins']],
    ['Chinese', CHINESE, ['zh/guide']],
  ] as const)('leads to every page in %s once, and to no page that is not there', (_, groups, folders) => {
    const links = groups
      .flatMap(({ items }) => items.map(({ link }) => link))
      .filter((link) => !link.startsWith('/api/'));
    expect([...links].sort()).toEqual(folders.flatMap(pagesOf).sort());
    for (const link of links) expect(existsSync(fileOf(`${link.slice(1)}.md`)), link).toBe(true);
  });

  it('names every package of the API reference as programs import it', () => {
    const api = ENGLISH.flatMap(({ items }) => items).filter(({ link }) => link.startsWith('/api/@'));
    expect(api.map(({ text }) => text)).toContain('@foretoken/core/kit');
    expect(api.every(({ text }) => /^@foretoken\/[a-z-]+(\/[a-z]+)?$/.test(text))).toBe(true);
  });
});
