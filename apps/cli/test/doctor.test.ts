import { ForetokenError } from '@foretoken/core';
import { describe, expect, it } from 'vitest';
import { findingsOf } from '../src/doctor/findings.js';
import { type Installation, inspectInstallation } from '../src/doctor/installation.js';
import { maskedLanguageModel } from './students.js';
import { cli, endlessModel, fakeModel, INSTALLATION } from './support.js';

const tooLong = (): never => {
  throw new ForetokenError('SOURCE_TOO_LONG', 'Too long.');
};
const withTokenizer = (own: object) => {
  const model = fakeModel();
  return { ...model, tokenizer: { ...model.tokenizer, ...own } };
};

const judge = (changes: Partial<Installation>) => findingsOf({ ...INSTALLATION, ...changes });
const missing = (changes: Partial<Installation>) => judge(changes).filter(({ state }) => state === 'missing');

describe('what is found', () => {
  it.each(['v20.20.0', 'v20.21.3', 'v22.13.0', 'v24.0.0', 'v25.1.0'])('Node.js %s will do', (node) => {
    expect(missing({ node })).toEqual([]);
  });

  it.each(['v18.20.0', 'v20.19.9', 'v21.7.0', 'v22.12.9', 'v23.1.0'])('Node.js %s will not', (node) => {
    expect(missing({ node })).toEqual([expect.objectContaining({ name: 'Node.js', found: node })]);
  });

  const absent = { runtime: { problem: 'not installed' }, backends: [] };

  it('is a runtime that npm took away again because its CUDA libraries could not be downloaded', () => {
    expect(missing(absent)[0].remedy).toContain('ONNXRUNTIME_NODE_INSTALL=skip npm i onnxruntime-node');
    // Elsewhere nothing is downloaded.
    expect(missing({ ...absent, platform: 'darwin', arch: 'arm64' })[0].remedy).toBe('Run: npm i onnxruntime-node');
  });

  it('is a system that the runtime has no native part for', () => {
    expect(missing({ ...absent, platform: 'darwin', arch: 'x64' })[0].remedy).toMatch(/no native part for darwin x64/);
    const musl = { runtime: { version: '9.9.9', problem: 'ld-linux: no such file' }, backends: [], glibc: undefined };
    expect(missing(musl)[0].remedy).toMatch(/needs glibc/);
  });

  it('is a runtime that is there but does not open', () => {
    const [finding] = missing({ runtime: { version: '9.9.9', problem: 'file too short' }, backends: [] });
    expect(finding.found).toBe('9.9.9, file too short');
    expect(finding.remedy).toMatch(/^Delete node_modules\/onnxruntime-node, then run: /);
  });

  it('is a model that is not there; correction is not needed for the rest', () => {
    const models = { translation: { problem: 'not installed' }, correction: { problem: 'not installed' } };
    expect(judge({ models }).map(({ state }) => state)).toEqual(['ok', 'ok', 'missing', 'note']);
    expect(missing({ models })[0].remedy).toContain('npm i @foretoken/model-multi30k-en-de');
  });

  it('is told of this machine too', async () => {
    const installation = await inspectInstallation({ packageVersion: () => '1.2.3' });
    expect(installation.node).toBe(process.version);
    expect(installation.cores).toBeGreaterThan(0);
    const bare = await inspectInstallation({
      packageVersion: () => {
        throw new Error('no such package');
      },
    });
    expect([bare.runtime.problem, bare.models.translation.problem]).toEqual(['not installed', 'not installed']);
  });
});

describe('foretoken doctor', () => {
  it('measures with the default model and says that nothing is missing', async () => {
    const model = fakeModel();
    const { code, stdout } = await cli(['doctor'], { model });
    expect(code).toBe(0);
    expect(stdout).toContain('Nothing is missing.');
    expect(stdout).toMatch(/^speculative +\d/m);
    expect(model.open).toEqual({ forests: 0, models: 0 });
  });

  it('does not say that nothing is missing where nothing was measured', async () => {
    const unmeasured = [
      [{ model: maskedLanguageModel() }, /Nothing was measured: .* serves none of them\. It has a canvas model\./, 0],
      [{ model: withTokenizer({ encode: tooLong }) }, /Nothing was measured: .* none of the built-in sentences/, 0],
      [
        { services: { loadModel: () => Promise.reject(new ForetokenError('RUNTIME_FAILURE', 'It broke.')) } },
        /It broke/,
        1,
      ],
    ] as const;
    for (const [surroundings, words, exitCode] of unmeasured) {
      const { code, stdout } = await cli(['doctor', '--model', 'mine'], surroundings);
      expect(code).toBe(exitCode);
      expect(stdout).toMatch(words);
      expect(stdout).not.toContain('Nothing is missing');
      expect(stdout).toMatch(/No part of the installation is missing\.\n$/);
    }
    const { stdout } = await cli(['doctor', '--json'], { model: maskedLanguageModel() });
    expect(JSON.parse(stdout).benchmark).toEqual({ notMeasured: expect.stringContaining('a canvas model') });
  });

  it('stops measuring after five seconds of its clock', async () => {
    let reads = 0;
    const services = { now: () => 1000 * reads++ };
    const { stdout } = await cli(['doctor', '--json'], { services });
    expect(JSON.parse(stdout).benchmark.rounds).toBe(6);
  });

  it('measures a slow model by the sentences that it comes to, and ends outputs that do not end', async () => {
    const model = endlessModel();
    // A forward takes a tenth of a second: greedy alone needs 6.4 s a sentence.
    const services = { now: () => 100 * model.forwards() };
    const { code, stdout } = await cli(['doctor', '--model', 'mine', '--json'], { model, services });
    expect(code).toBe(0);
    expect(JSON.parse(stdout).benchmark).toMatchObject({ sentences: 1, rounds: 2 });
    expect(model.forwards()).toBe(3 * 64);
  });

  it('says what is missing and does not measure then', async () => {
    const services = {
      inspectInstallation: async () => ({ ...INSTALLATION, runtime: { problem: 'not installed' }, backends: [] }),
      loadModel: () => Promise.reject(new Error('must not be loaded')),
    };
    const { code, stdout } = await cli(['doctor', '--json'], { services });
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ version: 1, ok: false, installation: { runtime: {} } });
    const text = await cli(['doctor'], { services, stdoutIsTerminal: true, columns: 40 });
    expect(text.stdout).toContain('missing: not installed');
    expect(text.stdout.replace(/\s+/g, ' ')).toContain('ONNXRUNTIME_NODE_INSTALL=skip npm i onnxruntime-node');
    for (const line of text.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(40);
  });

  it('reports a model that fails, and takes another one where the default is missing', async () => {
    const failing = { loadModel: () => Promise.reject(new ForetokenError('RUNTIME_FAILURE', 'It broke.')) };
    const failed = await cli(['doctor', '--json'], { services: failing });
    expect(failed.code).toBe(1);
    expect(JSON.parse(failed.stdout).benchmark.error.code).toBe('RUNTIME_FAILURE');
    const models = { ...INSTALLATION.models, translation: { problem: 'not installed' } };
    const services = { inspectInstallation: async () => ({ ...INSTALLATION, models }) };
    expect((await cli(['doctor'], { services })).code).toBe(1);
    expect((await cli(['doctor', '--model', 'mine'], { services })).code).toBe(0);
  });
});
