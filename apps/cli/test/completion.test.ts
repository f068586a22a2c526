import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { COMMANDS } from '../src/run.js';
import { cli } from './support.js';

const has = (shell: string): boolean => spawnSync(shell, ['-c', 'true']).status === 0;

async function bashOffers(...words: string[]): Promise<string[]> {
  const { stdout } = await cli(['completion', 'bash']);
  const ask = `${stdout}
COMP_WORDS=(foretoken "$@"); COMP_CWORD=$#; _foretoken; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['-c', ask, 'bash', ...words], { encoding: 'utf8' })
    .trim()
    .split('\n');
}

it.skipIf(!has('bash'))('completes commands, flags and known values in bash', async () => {
  expect(await bashOffers('de')).toEqual(['decode']);
  expect(await bashOffers('')).toEqual(expect.arrayContaining(['race', 'advise', 'doctor', 'help', '--version']));
  expect(await bashOffers('decode', '--beam')).toEqual(['--beam-size', '--beam-threshold']);
  expect(await bashOffers('decode', '--strategy', 'mask')).toEqual(['mask-predict', 'mask-ctc', 'masked-diffusion']);
  expect(await bashOffers('race', '--variant', '')).toEqual(['exact', 'fast', 'draft']);
  expect(await bashOffers('race', '--task', '')).toEqual(['correct', 'translate']);
  expect(await bashOffers('decode', '--strategy', '=', 'gr')).toEqual(['greedy']);
  expect(await bashOffers('race', '--variant', '=')).toEqual(['exact', 'fast', 'draft']);
  expect(await bashOffers('completion', '')).toEqual(expect.arrayContaining(['bash', 'zsh', 'fish', '--quiet']));
  expect(await bashOffers('help', 'de')).toEqual(['decode']);
  // A flag of another command is not offered, and where a file is wanted bash completes files.
  expect(await bashOffers('inspect', '--beam')).toEqual(['']);
  expect(await bashOffers('decode', '--file', '-')).toEqual(['']);
});

it.each(['bash', 'zsh', 'fish'])('prints a script that %s can read', async (shell) => {
  const { code, stdout, stderr } = await cli(['completion', shell]);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toContain(shell === 'fish' ? '-l beam-size' : '--beam-size');
  if (has(shell)) expect(spawnSync(shell, ['-n'], { input: stdout, encoding: 'utf8' }).stderr).toBe('');
});

it('refuses another shell', async () => {
  const { code, stderr } = await cli(['completion', 'tcsh']);
  expect([code, stderr]).toEqual([2, expect.stringContaining('completion knows bash, zsh, fish, but not tcsh')]);
});

it('knows the values of every option that takes one of a few', () => {
  const reads = /options\.choice\('([\w-]+)'/g;
  for (const command of COMMANDS) {
    const file = new URL(`../src/commands/${command.name}.ts`, import.meta.url);
    const source = existsSync(file) ? readFileSync(file, 'utf8') : '';
    for (const [, name = ''] of source.matchAll(reads)) {
      const option = command.options.find(({ flag }) => flag.split(' ')[0] === `--${name}`);
      expect(option?.values?.length, `${command.name} --${name}`).toBeGreaterThan(1);
    }
  }
});
