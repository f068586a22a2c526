import { spawnSync } from 'node:child_process';
import { freshProject, withDependencies } from './fresh-project.mjs';

/** The command line without any model package: it is installed without one, and each command names the line that adds what it misses. */
export function commandAlone(report, root, work, named) {
  const items = [...withDependencies(named, '@foretoken/cli').values()];
  const models = items.filter(({ manifest }) => manifest.foretoken?.model !== undefined);
  report.checked(
    'foretoken alone: no model comes along',
    models.map(({ manifest }) => `${manifest.name} is installed with it`),
  );
  const folder = freshProject(report, root, work, 'foretoken-alone', items);
  for (const [words, model] of [
    [['decode', '--text', 'A man.'], '@foretoken/model-multi30k-en-de'],
    [['correct', '--text', 'teh'], '@foretoken/model-english-correction'],
    [['race'], '@foretoken/model-multi30k-en-de'],
  ]) {
    const command = ['node_modules/@foretoken/cli/dist/main.js', ...words];
    const { status, stderr } = spawnSync(process.execPath, command, {
      cwd: folder,
      encoding: 'utf8',
      timeout: 300_000,
    });
    const right = status === 2 && stderr.includes(`npm i ${model}`);
    report.checked(`foretoken alone: ${words[0]}`, right ? [] : [`it ended with ${status} and said ${stderr}`]);
  }
}
