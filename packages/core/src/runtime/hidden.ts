/** Added to the attention score of what must not be seen; large enough for a weight of 0, and finite in every precision but fp16. */
export const HIDDEN = -1e9;
