/** A type of elements: so many of them are one block of so many bytes. */
export interface ElementBlocks {
  readonly name: string;
  readonly elements: number;
  readonly bytes: number;
}

const block = (name: string, elements: number, bytes: number): ElementBlocks => ({ name, elements, bytes });

/** Types that are read, by their number in ggml.h (ggml, MIT). */
export const READ_TYPES: ReadonlyMap<number, ElementBlocks> = new Map([
  [0, block('F32', 1, 4)],
  [1, block('F16', 1, 2)],
  [2, block('Q4_0', 32, 18)],
  [3, block('Q4_1', 32, 20)],
  [8, block('Q8_0', 32, 34)],
  [12, block('Q4_K', 256, 144)],
  [14, block('Q6_K', 256, 210)],
  [30, block('BF16', 1, 2)],
]);

/** Names of others, for messages. */
export const OTHER_TYPES: ReadonlyMap<number, string> = new Map(
  (
    '6:Q5_0 7:Q5_1 9:Q8_1 10:Q2_K 11:Q3_K 13:Q5_K 15:Q8_K 16:IQ2_XXS 17:IQ2_XS 18:IQ3_XXS 19:IQ1_S 20:IQ4_NL 21:IQ3_S ' +
    '22:IQ2_S 23:IQ4_XS 24:I8 25:I16 26:I32 27:I64 28:F64 29:IQ1_M 31:Q4_0_4_4 32:Q4_0_4_8 33:Q4_0_8_8 34:TQ1_0 35:TQ2_0 39:MXFP4'
  )
    .split(' ')
    .map((entry) => entry.split(':'))
    .map(([number, name]) => [Number(number), name]),
);
