/** The first value that a list holds for the second time; undefined where all differ. Linear in the length. */
export function firstTwice<Value>(values: Iterable<Value>): Value | undefined {
  const seen = new Set<Value>();
  for (const value of values) {
    if (seen.has(value)) return value;
    seen.add(value);
  }
  return undefined;
}
