import { ForetokenError } from '../contract/errors.js';
import type { AutoregressiveSupport } from '../contract/token-tree.js';

/** Throws `INVALID_ARGUMENT` where a forest would hold more rows than the model allows. */
export function assertRows({ rows }: AutoregressiveSupport, received: number): void {
  if (received <= rows) return;
  throw invalid(
    'INVALID_ARGUMENT',
    `A batch holds at most ${rows} sources, but there would be ${received}. Decode in parts.`,
    { received, max: rows },
  );
}

/** A refusal of what a forest was asked. */
export function invalid(
  code: 'INVALID_ARGUMENT' | 'INVALID_NODE' | 'LENGTH_LIMIT',
  message: string,
  details: Readonly<Record<string, unknown>>,
): ForetokenError {
  return new ForetokenError(code, message, details);
}
