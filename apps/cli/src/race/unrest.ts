/** Slowest over fastest repeat from which on the machine counts as busy. */
const UNREST = 1.3;

/** That figures are rough, where repeats of the same work took times that differ much; else nothing. */
export function unrestNotes(what: 'round' | 'repeat', unrest: number | undefined): readonly string[] {
  if (unrest === undefined || unrest <= UNREST) return [];
  return [
    `The slowest ${what} took ${unrest.toFixed(1)} times as long as the fastest: the machine is busy, so these figures are rough.`,
  ];
}
