import { EMPTY_PREFIX, type PrefixTrie } from '@foretoken/language-models';

const NONE: ReadonlySet<number> = new Set();

/** Tokens that would repeat an n-gram of the prefix if they came next; `size` is the n-gram's length. */
export function repeatingTokens({ parents, tokenIds }: PrefixTrie, prefix: number, size: number): ReadonlySet<number> {
  let found: Set<number> | undefined;
  // Every earlier token whose history of size - 1 tokens is the prefix's last.
  for (let at = prefix; at !== EMPTY_PREFIX; at = parents[at]) {
    let earlier = parents[at];
    let last = prefix;
    let matched = 0;
    while (matched < size - 1 && earlier !== EMPTY_PREFIX && tokenIds[earlier] === tokenIds[last]) {
      earlier = parents[earlier];
      last = parents[last];
      matched++;
    }
    if (matched === size - 1) {
      found ??= new Set();
      found.add(tokenIds[at]);
    }
  }
  return found ?? NONE;
}
