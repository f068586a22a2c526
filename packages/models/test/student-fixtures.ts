import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CanvasModel, EditModel, LatticeModel, TokenSource } from '@foretoken/core';
import { ForetokenError } from '@foretoken/core';
import { openSessions } from '@foretoken/core/runtime';
import { type ImportOptions, importModel } from '@foretoken/importers';
import { afterAll, beforeAll, expect } from 'vitest';
import { type LoadedModel, loadModel } from '../src/index.js';
import { temporaryFolder } from './folder-fixtures.js';
import { letterTokenizer } from './tiny-marian.js';

const GOLDENS = fileURLToPath(new URL('goldens/students/', import.meta.url));

export const VOCABULARY = 17;
export const END = 2;
export const MASK = 15;
export const START = 16;
/** Most positions of a canvas, and most tokens of a source. */
export const POSITIONS = 12;

/** A table of scores; null stands for `-Infinity`. */
export type Scores = readonly (readonly (number | null)[])[];
export type GoldenCanvas = readonly [row: number, tokenIds: readonly number[]];

interface FillGoldens {
  readonly canvases: readonly GoldenCanvas[];
  readonly logProbs: readonly Scores[];
}

interface CanvasGoldens extends FillGoldens {
  readonly lengths: readonly Readonly<Record<string, number>>[];
}

interface EditGoldens extends FillGoldens {
  readonly deletions: readonly number[][];
  readonly placeholders: readonly number[][];
}

/** What the students of `goldens/students` compute, by apps/distill/make_student_goldens.py. */
export interface StudentGoldens {
  readonly sources: readonly number[][];
  readonly canvas: CanvasGoldens;
  readonly canvasHints: CanvasGoldens;
  /** Paths of the sources' lattices, and the same students reading them instead of the best ones. */
  readonly paths: readonly (readonly [tokenIds: readonly number[], firstFrames: readonly number[]])[];
  readonly canvasGiven: CanvasGoldens;
  readonly editGiven: EditGoldens;
  readonly maskedLanguageModel: FillGoldens;
  readonly edit: EditGoldens;
  readonly editHints: EditGoldens;
  readonly dag: readonly { readonly logProbs: Scores; readonly transitions: Scores }[];
  /** Of each frame, over the vocabulary and then the blank. */
  readonly ctcFast: readonly Scores[];
}

export const EXPECTED: StudentGoldens = JSON.parse(
  await readFile(join(GOLDENS, 'expected.json'), 'utf8'),
) as StudentGoldens;
export const SOURCES: readonly TokenSource[] = EXPECTED.sources.map((ids) => Int32Array.from(ids));

export type StudentName =
  | 'marian'
  | 'ctc'
  | 'ctc-fast'
  | 'canvas'
  | 'canvas-hints'
  | 'dag'
  | 'edit'
  | 'edit-hints'
  | 'masked-lm';

/** A copy of one student's weights folder, with a tokenizer, and changes to its config. */
export async function weightsOf(name: StudentName, config: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const folder = join(await temporaryFolder(), name);
  await cp(join(GOLDENS, name), folder, { recursive: true });
  await writeFile(join(folder, 'tokenizer.json'), letterTokenizer(VOCABULARY));
  const path = join(folder, 'config.json');
  const known = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  await writeFile(path, JSON.stringify({ ...known, ...config }));
  return folder;
}

/** A model folder of the Marian model and its canvas, DAG and edit students. */
export async function studentsFolder(options: ImportOptions = {}): Promise<string> {
  const [canvas, dag, edit] = [await weightsOf('canvas'), await weightsOf('dag'), await weightsOf('edit')];
  return imported(await weightsOf('marian'), { weights: 'float32', canvas, dag, edit, ...options });
}

/** A model folder as `studentsFolder`'s, whose canvas and edit students read hints of its CTC student. */
export async function hintsFolder(options: ImportOptions = {}): Promise<string> {
  const [canvas, edit] = [await weightsOf('canvas-hints'), await weightsOf('edit-hints')];
  return studentsFolder({ ctc: await weightsOf('ctc'), canvas, edit, ...options });
}

/** Imports a weights folder into a temporary model folder. */
export async function imported(weights: string, options: ImportOptions = {}): Promise<string> {
  const target = join(await temporaryFolder(), 'model');
  await importModel(weights, target, options);
  return target;
}

/** A loaded folder and its students. */
export interface Students {
  readonly model: LoadedModel;
  readonly canvas: CanvasModel<TokenSource>;
  readonly dag: LatticeModel<TokenSource>;
  readonly edit: EditModel<TokenSource>;
}

/** Loads a folder before all tests of a file and releases it after them, when nothing may be left open. */
export function useStudents(folder: () => Promise<string>, use: (students: Students) => void): void {
  let model: LoadedModel;
  beforeAll(async () => {
    const students = await loadStudents(await folder());
    model = students.model;
    use(students);
  });
  afterAll(async () => {
    await model[Symbol.asyncDispose]();
    expect(openSessions()).toBe(0);
  });
}

/** The students of a loaded folder that must have them. */
export async function loadStudents(folder: string): Promise<Students> {
  const model = await loadModel(folder, { probe: false });
  const dag = model.part('lattice', { lattice: 'dag' });
  return { model, canvas: model.part('canvas'), dag, edit: model.part('edit') };
}

export const canvasOf = ([row, tokenIds]: GoldenCanvas): { row: number; tokenIds: Int32Array } => ({
  row,
  tokenIds: Int32Array.from(tokenIds),
});

/** Largest difference of scores to a table; infinite where one side rules out what the other does not. */
export function differenceTo(table: Scores, scores: ArrayLike<number>): number {
  const wanted = table.flat().map((value) => value ?? Number.NEGATIVE_INFINITY);
  if (wanted.length !== scores.length) return Number.POSITIVE_INFINITY;
  return largestDifference(wanted, scores);
}

export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let max = a.length === b.length ? 0 : Number.POSITIVE_INFINITY;
  for (let index = 0; index < a.length; index++) {
    const [left, right] = [a[index], b[index]];
    if (left !== right) max = Math.max(max, Math.abs(left - right));
  }
  return max;
}

/** The code of the typed error a call ends with. */
export async function codeOf(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    if (ForetokenError.isInstance(error)) return error.code;
    throw error;
  }
  return 'no error';
}
