/** Token sequences one of which must occur in the output: a phrase, or several forms of it. */
export type Phrase = readonly Int32Array[];

/** How far an output has met its phrases. */
export interface PhraseProgress {
  /** Whether every phrase occurs. */
  readonly complete: boolean;
  /** Tokens of phrases that stand, those of one that the output ends in the middle of included. */
  readonly bank: number;
  /** Tokens that bring the output closer: they continue a phrase that it ends in the middle of, or begin one. */
  readonly wanted: readonly number[];
}

/** Looks at an output alone; phrases occur as runs of tokens, and may overlap. */
export function phraseProgress(phrases: readonly Phrase[], output: readonly number[]): PhraseProgress {
  const missing = phrases.filter((forms) => !forms.some((form) => occurs(form, output)));
  const wanted = new Set<number>();
  let begun = 0;
  for (const forms of missing) {
    // Counted by what is left, so that no way into a phrase is worth more than the whole of it.
    let left = shortest(forms);
    for (const form of forms) {
      for (const length of standing(form, output)) {
        left = Math.min(left, form.length - length);
        wanted.add(form[length] as number);
      }
    }
    begun = Math.max(begun, shortest(forms) - left);
  }
  const met = phrases.filter((forms) => !missing.includes(forms));
  const bank = met.reduce((sum, forms) => sum + shortest(forms), begun);
  return { complete: missing.length === 0, bank, wanted: [...wanted] };
}

/** Tokens that a phrase takes at least. */
export function shortest(phrase: Phrase): number {
  return Math.min(...phrase.map(({ length }) => length));
}

function occurs(form: Int32Array, output: readonly number[]): boolean {
  for (let begin = 0; begin + form.length <= output.length; begin++) {
    if (form.every((tokenId, index) => output[begin + index] === tokenId)) return true;
  }
  return false;
}

/** Lengths of the form's beginnings that the output ends with; 0 is always one. */
function standing(form: Int32Array, output: readonly number[]): number[] {
  const lengths = [0];
  for (let length = 1; length < form.length && length <= output.length; length++) {
    const begin = output.length - length;
    if (form.subarray(0, length).every((tokenId, index) => output[begin + index] === tokenId)) lengths.push(length);
  }
  return lengths;
}
