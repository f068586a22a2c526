import { describe, expect, it } from 'vitest';
import { longModel, TEXTS } from './race-texts.js';
import { cli, fakeModel } from './support.js';

describe('--task', () => {
  const raced = async (argv: readonly string[], installed = true) => {
    const folders: unknown[] = [];
    const services = {
      canCorrect: () => installed,
      loadModel: async (folder: unknown) => {
        folders.push(folder);
        return longModel();
      },
    };
    const outcome = await cli(['race', ...argv], { services });
    return { ...outcome, folders };
  };

  it('is correction for text of yours, translation where it is asked for', async () => {
    expect((await raced(TEXTS)).folders).toEqual(['/models/correction']);
    expect((await raced(['--task', 'translate', ...TEXTS])).folders).toEqual(['/models/default']);
    expect((await raced(['--model', 'mine', ...TEXTS])).folders).toEqual(['mine']);
    expect((await raced(['--task', 'sing', ...TEXTS])).code).toBe(2);
  });

  it('is both, one after the other, where no text is given', async () => {
    const { code, folders, stdout, stderr } = await raced(['--limit', '2']);
    expect([code, folders]).toEqual([0, ['/models/correction', '/models/default']]);
    expect(stdout.match(/^strategy/gm)).toHaveLength(2);
    expect(stderr.indexOf('Correcting')).toBeLessThan(stderr.indexOf('Translating'));
  });

  it('is both with --json too, in one object', async () => {
    const { stdout, folders } = await raced(['--json', '--limit', '2']);
    expect(folders).toEqual(['/models/correction', '/models/default']);
    const { version, races } = JSON.parse(stdout);
    expect(version).toBe(1);
    expect(races.map(({ task, sentences }: Record<string, unknown>) => [task, sentences])).toEqual([
      ['correct', 2],
      ['translate', 2],
    ]);
    expect(JSON.parse((await raced(['--json', ...TEXTS])).stdout).task).toBe('correct');
  });

  it('is translation, and says so, where the model that corrects is not installed', async () => {
    const { folders, stderr } = await raced(TEXTS, false);
    expect(folders).toEqual(['/models/default']);
    expect(stderr).toContain('not installed: translating');
  });
});

describe('--variant', () => {
  it('races the variant beside exact greedy, and leaves out what has none', async () => {
    const { autoregressive, ctc } = fakeModel().held;
    // The fake folder finds its CTC model under every variant, its autoregressive model under exact only.
    const model = fakeModel();
    const find: typeof model.find = (kind, which) => {
      if (kind === 'autoregressive') {
        return which?.variant === 'fast' ? undefined : (autoregressive as ReturnType<typeof model.find<typeof kind>>);
      }
      return kind === 'lattice' && which?.lattice === 'ctc'
        ? (ctc as ReturnType<typeof model.find<typeof kind>>)
        : undefined;
    };
    const raced = { ...model, find };
    const argv = ['race', '--task', 'translate', '--variant', 'fast', '--text', 'a dog', '--json'];
    const { code, stdout, stderr } = await cli(argv, { model: raced });
    const record = JSON.parse(stdout);
    expect([code, record.variant]).toEqual([0, 'fast']);
    expect(record.strategies.map(({ strategy }: { strategy: string }) => strategy)).toEqual(['greedy', 'ctc']);
    expect(stderr).toContain('Left out, since this model cannot serve them: speculative');
    const named = await cli([...argv, '--strategies', 'speculative'], { model: raced });
    expect([named.code, named.stderr]).toEqual([2, expect.stringContaining('(fast)')]);
    const table = await cli(argv.slice(0, -1), { model: raced });
    expect(table.stdout).toContain('fast models, greedy fp32');
  });
});
