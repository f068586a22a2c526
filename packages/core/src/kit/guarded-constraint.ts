import type { TokenConstraint } from '../contract/scoring.js';
import { wrongValue } from './checks.js';
import { immediate, type OptionReader, withMethods } from './options.js';

const readMethods: OptionReader<TokenConstraint> = withMethods(
  'a constraint with the methods start, next and allowed',
  'start',
  'next',
  'allowed',
);

/** Reads a constraint and guards it: where a method answers with a promise, or with no list of tokens, it says so. */
export const guardedConstraint: OptionReader<TokenConstraint> = (name, value) => {
  const constraint = readMethods(name, value);
  return {
    start: (row) => immediate(`What ${name}.start returns`, constraint.start(row)),
    next: (state, tokenId) => immediate(`What ${name}.next returns`, constraint.next(state, tokenId)),
    allowed(state) {
      const allowed: unknown = constraint.allowed(state);
      if (ArrayBuffer.isView(allowed) && 'length' in allowed) return allowed as Uint8Array;
      throw wrongValue(`What ${name}.allowed returns`, allowed, 'a Uint8Array with an entry a token');
    },
  };
};
