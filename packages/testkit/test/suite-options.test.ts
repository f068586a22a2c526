import {
  autoregressiveConformance,
  canvasConformance,
  canvasModelConformance,
  drafterConformance,
  editConformance,
  editModelConformance,
  latticeConformance,
  latticeModelConformance,
  tokenForestConformance,
} from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';

const SUITES = {
  autoregressiveConformance,
  canvasConformance,
  canvasModelConformance,
  drafterConformance,
  editConformance,
  editModelConformance,
  latticeConformance,
  latticeModelConformance,
  tokenForestConformance,
} as const;

const runner = { describe: () => undefined, it: () => undefined };

describe('a suite', () => {
  it.each(Object.entries(SUITES))(
    'refuses options that %s does not have, and needs those it cannot do without',
    (name, suite) => {
      const define = (options: unknown) => () => (suite as (options: unknown) => void)(options);
      expect(define({ runner, nam: 'x' })).toThrow(`${name} takes no nam. Did you mean name?`);
      expect(define({ runner, name: 5 })).toThrow('name must be a string');
      expect(define({ runner: 5, name: 'x' })).toThrow('runner must be a test runner');
      expect(define({ runner, name: 'x' })).toThrow(
        / needs (createDecoder|createDrafter|createModel), which was not given/,
      );
      expect(define(null)).toThrow(`${name} takes a plain object`);
    },
  );
});
