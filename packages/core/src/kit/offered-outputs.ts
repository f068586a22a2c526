import { ForetokenError } from '../contract/errors.js';
import type { AutoregressiveSupport, OutputRequest } from '../contract/token-tree.js';

/** Refuses outputs that a model does not offer, before anything is computed. Throws `UNSUPPORTED_CAPABILITY`, `INVALID_ARGUMENT`. */
export function assertOffered(
  { outputs, states = [], maxCandidates }: Pick<AutoregressiveSupport, 'outputs' | 'states' | 'maxCandidates'>,
  output: OutputRequest,
): void {
  const offered = output.states === true ? states : outputs;
  if (!offered.includes(output.kind)) {
    throw new ForetokenError(
      'UNSUPPORTED_CAPABILITY',
      `This model does not offer the ${output.kind} output${output.states === true ? ' with states' : ''}; ` +
        `it offers: ${offered.join(', ') || 'none'}.`,
      { capability: output.kind, offered },
    );
  }
  if ('k' in output && !(Number.isInteger(output.k) && output.k >= 1 && output.k <= maxCandidates)) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `k must be an integer from 1 to ${maxCandidates}, but was ${output.k}.`,
      { option: 'k', received: output.k, min: 1, max: maxCandidates },
    );
  }
}
