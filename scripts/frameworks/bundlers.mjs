import { execSync } from 'node:child_process';
import { expectPrinted } from './page.mjs';

/** Each bundler makes a file of the quick start's program, as the page says, and the file runs. */
export function bundlers({ page, place }) {
  const configs = ['rollup.config.mjs', 'webpack.config.cjs'];
  const files = Object.fromEntries(configs.map((name) => [name, page.file(name)]));
  const cwd = place('bundlers', { ...files, 'main.mjs': page.program });
  for (const lines of page.commands('Bundlers for Node')) {
    const [build, run] = lines;
    const printed = lines.map((line) => execSync(line, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }));
    expectPrinted(`${build.split(' ')[1]}: ${run}`, printed.at(-1));
  }
}
