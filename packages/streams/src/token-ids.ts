import type { DecodeEvent } from '@foretoken/core';

/** All tokens that events name. */
export function tokenIdsOf(events: readonly DecodeEvent[]): Set<number> {
  const found = new Set<number>();
  const add = (tokenIds: ArrayLike<number> | undefined): void => {
    for (let index = 0; index < (tokenIds?.length ?? 0); index++) found.add(tokenIds?.[index] ?? 0);
  };
  for (const event of events) {
    if (event.type === 'draft-end') add(event.draft.tokenIds);
    else if (event.type === 'decode-end') {
      for (const { tokenIds, alternatives } of event.results.flatMap(({ hypotheses }) => hypotheses)) {
        add(tokenIds);
        for (const one of alternatives ?? []) add(one.tokenIds);
      }
    } else {
      add(event.tokenIds);
      if (event.type === 'token-commit') continue;
      for (const { tokenIds } of event.branches ?? []) add(tokenIds);
      add(event.lattice?.tokenIds);
    }
  }
  return found;
}
