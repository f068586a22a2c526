// Fits typedoc's pages to this site: modules are named as they are imported, and links lead to the headings as VitePress names them.
import { Converter } from 'typedoc';
import { MarkdownPageEvent } from 'typedoc-plugin-markdown';

const anchorOf = (heading) =>
  heading
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');

export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.children ?? []) module.name = module.name.replace(/^(.+?)\/src/, '@foretoken/$1');
  });
  app.renderer.on(MarkdownPageEvent.END, (page) => {
    const contents = page.contents ?? '';
    const headings = new Set([...contents.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchorOf(heading)));
    // typedoc numbers a type whose value is not exported as if both were on the page.
    const own = (anchor) => (headings.has(anchor) ? anchor : anchor.replace(/-1$/, ''));
    page.contents = contents.replaceAll(/\]\(([^)#\s]*)#([\w-]+)\)/g, (_, path, id) => {
      const anchor = anchorOf(id);
      return `](${path}#${path === '' ? own(anchor) : anchor})`;
    });
  });
}
