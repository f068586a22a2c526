import type { Value } from '../graphs/graph-builder.js';

/** A batch of sources, int32 `[batch, source]` each. */
export interface SourceTokens {
  readonly tokenIds: Value;
  readonly positions: Value;
  readonly mask: Value;
}
