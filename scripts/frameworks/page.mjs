import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What `main.mjs` of the quick start prints. */
export const TRANSLATED = 'Ein Mann fährt Fahrrad.';

/** The guide's page: its files by the name in their first line, and the commands of a section. */
export function guidePage(root) {
  const read = (name) => readFileSync(join(root, 'docs/guide', name), 'utf8');
  const page = read('integrations.md');
  const files = Object.fromEntries(
    [...page.matchAll(/^```(?:js|yaml)\n(?:\/\/|#) ([\w./-]+\.\w+)[^\n]*\n([\s\S]*?)^```$/gm)].map(([, name, text]) => [
      name,
      text,
    ]),
  );
  const [, program] = /Save this as `main\.mjs`[\s\S]*?^```ts\n([\s\S]*?)^```$/m.exec(read('quick-start.md')) ?? [];
  return {
    program,
    file(name) {
      if (files[name] === undefined) throw new Error(`The page of integrations has no file ${name}.`);
      return files[name];
    },
    /** Blocks of commands under a heading. */
    commands(heading) {
      const section = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
      const blocks = [...section.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, text]) => text.trim().split('\n'));
      if (blocks.length === 0) throw new Error(`The page of integrations has no commands under ${heading}.`);
      return blocks;
    },
  };
}

/** Says that a part is well; throws where what was printed is not what is expected. */
export function expectPrinted(what, printed, expected = TRANSLATED) {
  if (!printed.includes(expected)) throw new Error(`${what} printed ${JSON.stringify(printed)}, not ${expected}`);
  console.log(`ok    ${what}`);
}
