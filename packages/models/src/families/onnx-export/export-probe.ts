import { ForetokenError, type ForwardCosts } from '@foretoken/core';
import { assertPossible, assertScores, MAX_FORWARD_CELLS } from '@foretoken/core/kit';
import type { PathBlock, PathInputs } from '@foretoken/core/runtime';
import { MeasuredCosts } from '../../drivers/measured-costs.js';
import { ProbeBudget, WidthCosts } from '../../drivers/probe.js';
import { ExportDriver, type ExportSteps } from './export-driver.js';
import type { SourceStates } from './export-encoder.js';
import { ExportSources, type MaskPlaces } from './export-sources.js';

const PROBE_MILLISECONDS = 200;
/** As many new tokens as are measured. */
const MAX_NODES = 16;

/** How far logits of two ways of computing the same may lie apart, as a share of their spread: rounding, not another model. */
const MAX_SHARE = 0.1;
/** A token changes what a run gives of those behind it where that is more of their spread, and so many times what another token does. */
const MIN_MOVE = 0.01;
const TIMES = 4;
/** Where products are rounded to 8 bits by what is beside them. */
const MAX_ROUGH_SHARE = 0.6;

/** What a graph that goes on can do. */
export interface ExportAbilities {
  readonly chains: boolean;
  readonly chainEnd: number | undefined;
  readonly maxLanes: number;
  readonly maskPlaces: MaskPlaces;
}

/**
 * Finds out by trying whether a decoder takes several new tokens of a path, and several paths, and gives what it gives for one after
 * the other. Some exports were traced with one token, so that their masks are wrong for more, or with one row; some count the positions
 * of a run without its padding, `padTokenId`, and those of a cache with it. Throws `INVALID_SCORES` where it gives none,
 * `RUNTIME_FAILURE`, `DISPOSED`.
 */
export async function probeAbilities(
  steps: Omit<ExportSteps, keyof ExportAbilities>,
  source: SourceStates | undefined,
  rough: boolean,
  padTokenId?: number,
): Promise<ExportAbilities> {
  const maskPlaces = await findMaskPlaces(steps, source);
  const driver = new ExportDriver(
    { ...steps, chains: true, maxLanes: 2, maskPlaces },
    source && new ExportSources(steps.runtime, [source], { maskPlaces }),
  );
  const { vocabularySize } = steps;
  const [first, second, third] = [1, 2, 3].map((share) => {
    const token = Math.floor((share * vocabularySize) / 4);
    return token === padTokenId ? token - 1 : token;
  });
  const run = async (tokenIds: readonly number[], lanes: number, past: PathBlock | undefined) => {
    const { present, extension } = await driver.run(inputsOf(tokenIds, lanes, past), { kind: 'logits' });
    return { present, logits: 'logits' in extension ? extension.logits : new Float32Array() };
  };
  const share = rough ? MAX_ROUGH_SHARE : MAX_SHARE;
  try {
    const one = await run([first], 1, undefined);
    const two = await run([second], 1, one.present);
    const three = await run([third], 1, two.present);
    for (const { logits } of [one, two, three]) assertUsable(logits);
    const alone = joined(two.logits, three.logits);
    const other = await run([third], 1, one.present);
    /** How far what the second of two tokens gives lies from what it gives in a run of its own. */
    const moved = ({ logits }: { readonly logits: Float32Array }, alone: { readonly logits: Float32Array }): number =>
      apart(logits.subarray(vocabularySize), alone.logits);
    let usual = 0;
    const chains =
      (await tried(async () => {
        const pair = await run([second, third], 1, one.present);
        usual = moved(pair, three);
        return near(pair.logits, alone, share);
      })) &&
      (await tried(async () =>
        near((await run([first, second, third], 1, undefined)).logits, joined(one.logits, alone), share),
      ));
    const lanes = await tried(async () => {
      const both = await run([first, first], 2, undefined);
      const after = await run([second, third], 2, both.present);
      if (!near(after.logits, joined(two.logits, other.logits), share)) return false;
      if (!chains) return true;
      // Some attention takes several tokens behind a cache for one path only.
      const chain = await run([second, third, second, third], 2, both.present);
      return near(chain.logits, joined(alone, alone), share);
    });
    let chainEnd: number | undefined;
    if (chains && padTokenId !== undefined) {
      const padded = await run([padTokenId], 1, one.present);
      const behind = await run([third], 1, padded.present);
      const pair = await run([padTokenId, third], 1, one.present);
      if (moved(pair, behind) > Math.max(MIN_MOVE, TIMES * usual)) chainEnd = padTokenId;
    }
    return { chains, chainEnd, maxLanes: lanes ? MAX_FORWARD_CELLS : 1, maskPlaces };
  } finally {
    driver.dispose();
  }
}

/**
 * Finds out by trying what a decoder's mask of its sources is over. Exports of speech models may want one of samples, and give the
 * states' dimension the same name; it is tried first, since a mask of few states may be taken for one that holds for all.
 */
async function findMaskPlaces(
  steps: Omit<ExportSteps, keyof ExportAbilities>,
  source: SourceStates | undefined,
): Promise<MaskPlaces> {
  if (source !== undefined && [steps.begin, steps.goOn].some(({ sourceMask }) => sourceMask === undefined))
    return 'none';
  if (source?.samples === undefined) return 'states';
  const maskPlaces: MaskPlaces = 'samples';
  const sources = new ExportSources(steps.runtime, [source], { maskPlaces });
  const driver = new ExportDriver({ ...steps, chains: false, maxLanes: 1, maskPlaces }, sources);
  try {
    const runs = async (): Promise<boolean> => {
      await driver.run(inputsOf([0], 1, undefined), { kind: 'argmax' });
      return true;
    };
    return (await tried(runs)) ? 'samples' : 'states';
  } finally {
    driver.dispose();
  }
}

/** What trying gives; false where a graph refuses what it was not made for. */
export async function tried(run: () => Promise<boolean>): Promise<boolean> {
  try {
    return await run();
  } catch (error) {
    if (ForetokenError.isInstance(error) && error.code === 'RUNTIME_FAILURE') return false;
    throw error;
  }
}

/**
 * Measures forwards by their new tokens, of outputs of at most `maxLength`; what a graph that takes one at a time costs is known. Throws
 * the signal's reason.
 */
export async function probeCosts(
  steps: ExportSteps,
  source: SourceStates | undefined,
  maxLength: number,
  probe: boolean,
  signal: AbortSignal | undefined,
): Promise<ForwardCosts | undefined> {
  // So that speculation verifies nothing where that takes a forward for each token.
  if (!steps.chains) return { milliseconds: (rows, nodes) => rows + nodes };
  if (!probe) return undefined;
  const driver = new ExportDriver(steps, source && new ExportSources(steps.runtime, [source], steps));
  try {
    // As many lie in the cache, so both together must have positions.
    const nodes = Math.max(1, Math.min(MAX_NODES, maxLength >> 1));
    const tokenIds = Array.from({ length: nodes }, (_, index) => index % steps.vocabularySize);
    const { present } = await driver.run(inputsOf(tokenIds, 1, undefined), { kind: 'argmax' });
    const { curve } = await WidthCosts.measure(nodes, new ProbeBudget(PROBE_MILLISECONDS), (width) => {
      signal?.throwIfAborted();
      return driver.run(inputsOf(tokenIds.slice(0, width), 1, present), { kind: 'argmax' });
    });
    return curve.length === 0 ? undefined : new MeasuredCosts(curve);
  } finally {
    driver.dispose();
  }
}

/** Throws `INVALID_SCORES`, `UNSATISFIABLE_CONSTRAINT` for scores by which no token can be chosen. */
function assertUsable(logits: Float32Array): void {
  assertScores(logits, 0, 0);
  assertPossible(
    logits.reduce((max, score) => Math.max(max, score), Number.NEGATIVE_INFINITY),
    0,
    0,
  );
}

/** Tokens of `lanes` paths, all scored, behind a past. */
export function inputsOf(tokenIds: readonly number[], lanes: number, past: PathBlock | undefined): PathInputs {
  return {
    row: new Int32Array(lanes),
    pastLength: past?.length ?? 0,
    length: tokenIds.length / lanes,
    tokenIds: Int32Array.from(tokenIds),
    past,
    scored: Int32Array.from(tokenIds.keys()),
  };
}

/** Two lists of numbers, one behind the other. */
export function joined(one: Float32Array, other: Float32Array): Float32Array {
  const both = new Float32Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}

/** Whether values differ by at most a share of what they spread over. */
function near(values: Float32Array, required: Float32Array, share: number): boolean {
  return values.length === required.length && apart(values, required) <= share;
}

/** The most by which values differ, as a share of what the required ones spread over. */
function apart(values: Float32Array, required: Float32Array): number {
  const finite = required.filter(Number.isFinite);
  const mean = finite.reduce((sum, value) => sum + value, 0) / finite.length;
  const spread = Math.sqrt(finite.reduce((sum, value) => sum + (value - mean) ** 2, 0) / finite.length);
  return values.reduce((max, value, index) => {
    if (value === required[index]) return max;
    const distance = Math.abs(value - required[index]) / spread;
    // Not a number is as far apart as can be.
    return Number.isNaN(distance) ? Number.POSITIVE_INFINITY : Math.max(max, distance);
  }, 0);
}
