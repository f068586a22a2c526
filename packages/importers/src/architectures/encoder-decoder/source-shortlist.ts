import type { EncoderDecoderManifest, FileContent, ShortlistTables } from '@foretoken/models/internal';

/** A shortlist as it is stored; see `EncoderDecoderManifest`. */
export interface StoredShortlist {
  readonly tables: ShortlistTables;
  readonly multipleOf: number;
}

const FILE = 'source-shortlist.bin';

/** A shortlist's file, which `readSourceShortlist` reads, and what the manifest says of it. */
export function emitShortlist({ tables, multipleOf }: StoredShortlist): {
  readonly manifest: EncoderDecoderManifest['shortlist'];
  readonly file: readonly [name: string, content: FileContent];
} {
  const { common, offsets, tokenIds } = tables;
  const lists = [common, offsets, tokenIds];
  const numbers = [...lists.map(({ length }) => length), ...lists.flatMap((list) => [...list])];
  const content = new Uint8Array(4 * numbers.length);
  const view = new DataView(content.buffer);
  for (const [at, number] of numbers.entries()) view.setInt32(4 * at, number, true);
  return { manifest: { file: FILE, multipleOf }, file: [FILE, () => [content]] };
}
