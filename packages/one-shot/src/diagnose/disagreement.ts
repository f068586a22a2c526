/** How often a token that was chosen by itself is not what would be chosen beside its neighbours. */
export interface Disagreement {
  /** Tokens that were looked at. */
  readonly positions: number;
  /** Those of them where the model would choose otherwise. */
  readonly changed: number;
  /** `changed` over `positions`, 0 to 1; 0 where there are none. */
  readonly share: number;
}

/** The disagreement of so many positions. */
export function disagreementOf(positions: number, changed: number): Disagreement {
  return { positions, changed, share: positions === 0 ? 0 : changed / positions };
}
