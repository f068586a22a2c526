// Follows docs/guide/quick-start.md to the letter, in an empty folder: every command of its steps, and the file it tells to save.
import { execSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Steps of the page: commands, a file, what is printed. A block inside a note is another way, and is not a step. */
export function stepsOf(page) {
  const steps = page
    .slice(page.indexOf('\n## 1.'), page.indexOf('\n## Speculative'))
    .replace(/^:::[\s\S]*?^:::$/gm, '');
  const blocks = [...steps.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language, text]) => ({ language, text }));
  const file = /Save this as `([^`]+)`/.exec(steps)?.[1];
  const note = /^(\S+=\S+) npm i /m.exec(page)?.[1] ?? '';
  return { blocks, file, note };
}

/**
 * Does what the page says in `folder`, without a network; returns faults. `standsFor` names what stands for a package: tarballs of
 * one that is not published yet, the workspace's copy of one that others made.
 */
export function followQuickStart(root, folder, standsFor) {
  const { blocks, file, note } = stepsOf(readFileSync(join(root, 'docs/guide/quick-start.md'), 'utf8'));
  const faults = [];
  mkdirSync(folder, { recursive: true });
  let at = folder;
  let printed = '';
  let ran = 0;
  for (const { language, text } of blocks) {
    if (language === 'ts') writeFileSync(join(at, file), text);
    if (language === 'text' && printed.trim() !== text.trim())
      faults.push(`the quick start printed ${printed}, not ${text}`);
    if (language !== 'sh') continue;
    for (const line of text.trim().split('\n')) {
      ran++;
      if (line.startsWith('cd ')) {
        at = join(at, line.slice(3));
        continue;
      }
      // The line with the variable, as a machine needs it that cannot reach the server; packages come from their tarballs.
      const command = line.startsWith('npm i ') ? `${note} ${npmWords(line, standsFor)}` : line;
      try {
        const env = { ...process.env, npm_config_offline: 'true', npm_config_ignore_scripts: 'true' };
        printed = execSync(command, { env, cwd: at, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
      } catch (error) {
        return [...faults, `the quick start failed at "${line}": ${error.stderr ?? error.message}`];
      }
    }
  }
  if (ran < 5 || file === undefined) faults.push('the quick start has lost its steps');
  return faults;
}

/** A line `npm i …` with what stands for each package in its place. */
function npmWords(line, standsFor) {
  const [npm, install, ...words] = line.replace(/#.*/, '').trim().split(/\s+/);
  return [npm, install, ...words.flatMap((word) => (word.startsWith('-') ? word : standsFor(word)))].join(' ');
}
