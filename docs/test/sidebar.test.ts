import { existsSync, readdirSync, readFileSync } from 'node:fs';
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

  it('keeps whoever reads Chinese in Chinese, wherever the page is there', () => {
    const translated = pagesOf('zh/guide').map((page) => page.slice('/zh'.length));
    for (const page of [...pagesOf('zh/guide'), '/zh/index']) {
      const text = readFileSync(fileOf(`${page.slice(1)}.md`), 'utf8');
      const links = [...text.matchAll(/\]\((\/guide\/[\w-]+)(#[^)]*)?\)/g)];
      // A heading of the English page may be named where the Chinese one is shorter.
      const english = links.filter(([, link, anchor]) => anchor === undefined && translated.includes(link ?? ''));
      expect(
        english.map(([link]) => link),
        page,
      ).toEqual([]);
    }
    for (const page of ['write-a-model', 'errors', 'coming-from', 'integrations'])
      expect(translated).toContain(`/guide/${page}`);
  });

  it('takes code from the English pages by regions that are there once', () => {
    const parts = pagesOf('zh/guide').flatMap((page) => {
      const text = readFileSync(fileOf(`${page.slice(1)}.md`), 'utf8');
      return [...text.matchAll(/@include: \.\.\/\.\.\/(guide\/[\w-]+\.md)#([\w-]+?)-->/g)];
    });
    expect(parts.length).toBeGreaterThan(40);
    for (const [, file = '', region = ''] of parts) {
      const text = readFileSync(fileOf(file), 'utf8');
      for (const mark of ['region', 'endregion'])
        expect(text.split(`<!-- #${mark} ${region} -->`), `${file}#${region}`).toHaveLength(2);
    }
  });

  it('names every package of the API reference as programs import it', () => {
    const api = ENGLISH.flatMap(({ items }) => items).filter(({ link }) => link.startsWith('/api/@'));
    expect(api.map(({ text }) => text)).toContain('@foretoken/core/kit');
    expect(api.every(({ text }) => /^@foretoken\/[a-z-]+(\/[a-z]+)?$/.test(text))).toBe(true);
  });
});
