// Looks at the built pages, of every language: each link inside the site leads to a page, and to a heading that is there.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const OUT = process.argv[2] ?? join(import.meta.dirname, 'dist');

const pages = new Map(
  readdirSync(OUT, { recursive: true })
    .filter((name) => name.endsWith('.html'))
    .map((name) => [`/${name}`.replace(/(?:index)?\.html$/, ''), readFileSync(join(OUT, name), 'utf8')]),
);
const anchors = new Map(
  [...pages].map(([page, html]) => [page, new Set([...html.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id))]),
);
const faults = new Set(pages.size === 0 ? [`${OUT} has no page`] : []);
for (const [page, html] of pages) {
  for (const [, href] of html.matchAll(/<a\b[^>]*\shref="([^"]*)"/g)) {
    const url = new URL(href.replaceAll('&amp;', '&'), `http://site${page}`);
    if (url.host !== 'site') continue;
    const path = decodeURIComponent(url.pathname);
    const known = anchors.get(path) ?? anchors.get(`${path}/`);
    const id = decodeURIComponent(url.hash.slice(1));
    if (known === undefined && !existsSync(join(OUT, path))) faults.add(`${page}: ${href} leads to no page`);
    else if (id !== '' && known !== undefined && !known.has(id)) faults.add(`${page}: ${href} leads to no heading`);
  }
}
if (faults.size > 0) {
  console.error([...faults].join('\n'));
  process.exitCode = 1;
}
