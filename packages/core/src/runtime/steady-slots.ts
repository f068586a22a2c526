/**
 * Vectors of up to this many floats are added up in the runtime's kernels: hidden slots that fill whole vectors add exact zeros,
 * while others would change which values are added up together.
 */
export const STEADY_SLOTS = 16;
