import type { CanvasModel, EditModel, LatticeModel, TokenSource } from '@foretoken/core';
import {
  canvasModelConformance,
  collectOutcomes,
  editModelConformance,
  latticeModelConformance,
  type ModelConformanceOptions,
  type Runner,
} from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';
import { LATTICE_FAULTS } from './lattice-model-faults.js';
import type { Fault } from './model-fault.js';
import { scriptedCanvas, scriptedCtc, scriptedDag, scriptedEdit } from './scripted-kinds.js';
import { CANVAS_FAULTS, EDIT_FAULTS } from './session-model-faults.js';

const SOURCES: readonly TokenSource[] = [[5, 2], [3], [6, 6, 1]].map((tokenIds) => Int32Array.from(tokenIds));

type Suite<Model> = (options: ModelConformanceOptions<Model>) => void;

/** The suite passes sound models, and each fault breaks the law that is named beside it; each law is named. */
function suite<Model>(
  name: string,
  define: Suite<Model>,
  sound: Readonly<Record<string, () => Model>>,
  faults: readonly Fault<Model>[],
): void {
  for (const [what, createModel] of Object.entries(sound)) {
    define({ runner: { describe, it }, name: what, createModel, sources: SOURCES });
  }

  describe(`the suite of ${name}`, () => {
    const lawsOf = (createModel: () => Model) =>
      collectOutcomes((runner: Runner) => define({ runner, name: 'mutant', createModel, sources: SOURCES }));

    it('has no law that cannot fail', async () => {
      const [first] = Object.values(sound);
      const names = (await lawsOf(first)).map((outcome) => outcome.name);
      expect(new Set(faults.map(({ law }) => law))).toEqual(new Set(names));
    });

    it.each(faults)('catches one that $fault', async ({ law, plant }) => {
      const [first] = Object.values(sound);
      const broken = (await lawsOf(() => plant(first()))).filter(({ error }) => error !== undefined);
      expect(broken.map((outcome) => outcome.name)).toContain(law);
    });
  });
}

suite<LatticeModel<TokenSource>>(
  'lattice models',
  latticeModelConformance,
  { 'a scripted CTC model': scriptedCtc, 'a scripted DAG model': () => scriptedDag() },
  LATTICE_FAULTS,
);

suite<CanvasModel<TokenSource>>(
  'canvas models',
  canvasModelConformance,
  { 'a scripted canvas model': scriptedCanvas, 'one without lengths': () => scriptedCanvas({ lengths: undefined }) },
  CANVAS_FAULTS,
);

suite<EditModel<TokenSource>>(
  'edit models',
  editModelConformance,
  { 'a scripted edit model': scriptedEdit },
  EDIT_FAULTS,
);
