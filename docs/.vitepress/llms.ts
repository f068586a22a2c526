import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

interface Group {
  readonly text: string;
  readonly items: readonly { readonly text: string; readonly link: string }[];
}

const ABOUT = `# Foretoken

> Decoding strategies for sequence models as TypeScript packages on ONNX Runtime: greedy, sampling, beam search, CTC, DAG,
> mask-predict, Levenshtein, masked diffusion, and speculative decoding whose output is the autoregressive model's own.
`;

/** A page as a reader of plain text wants it: files that are included are there, components of the site are not. */
function plain(file: string): string {
  const text = readFileSync(file, 'utf8').replace(/^---\n[\s\S]*?\n---\n/, '');
  return text
    .replace(/^<!--@include: (.+?)-->$/gm, (_, name: string) => plain(join(dirname(file), name.trim())))
    .replace(/^<<< (\S+)$/gm, (_, name: string) => `\`\`\`ts\n${readFileSync(join(dirname(file), name), 'utf8')}\`\`\``)
    .replace(/^<(?:Replay|FamilyPicture)\b[^>]*>\n+/gm, '');
}

/** Writes llms.txt, a list of the pages, and llms-full.txt, their text; the API reference is left out. */
export function writeTexts(sources: string, out: string, groups: readonly Group[]): void {
  const lists: string[] = [];
  const pages: string[] = [];
  for (const { text, items } of groups) {
    const known = items.filter(({ link }) => !link.startsWith('/api/') && existsSync(join(sources, `${link}.md`)));
    if (known.length === 0) continue;
    lists.push(`## ${text}\n\n${known.map((item) => `- [${item.text}](${item.link})`).join('\n')}\n`);
    pages.push(...known.map(({ link }) => plain(join(sources, `${link}.md`))));
  }
  writeFileSync(join(out, 'llms.txt'), [ABOUT, ...lists].join('\n'));
  writeFileSync(join(out, 'llms-full.txt'), [ABOUT, ...pages].join('\n\n'));
}
