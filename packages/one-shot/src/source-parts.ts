/** Sources that follow one another. */
export interface SourcePart<Source> {
  /** Row of the first. */
  readonly first: number;
  readonly part: readonly Source[];
}

/**
 * Divides a batch into parts of at most `maxPositions` source positions, so that what is kept for a part at a time is bounded
 * however many rows there are; at least one source each. A source that tells no length counts as one position.
 */
export function* partsOf<Source>(sources: readonly Source[], maxPositions: number): Generator<SourcePart<Source>> {
  for (let first = 0; first < sources.length; ) {
    let end = first;
    let positions = 0;
    do positions += positionsOf(sources[end++]);
    while (end < sources.length && positions + positionsOf(sources[end]) <= maxPositions);
    yield { first, part: first === 0 && end === sources.length ? sources : sources.slice(first, end) };
    first = end;
  }
}

function positionsOf(source: unknown): number {
  try {
    const { length } = source as { readonly length?: unknown };
    return typeof length === 'number' ? length : 1;
  } catch {
    // What cannot be read is the model's to refuse.
    return 1;
  }
}
