import { type FilePlace, quote, refuseWeights, type WeightDtype } from '@foretoken/models/internal';

/** What an array of numpy is. */
export interface NpyHeader {
  readonly dtype: WeightDtype | 'F64';
  readonly shape: readonly number[];
  /** The first byte of a number is its highest. */
  readonly bigEndian: boolean;
  /** The first index changes fastest. */
  readonly fortran: boolean;
  /** Bytes before the values. */
  readonly begin: number;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** Far above the header of any array: some 100 bytes. */
export const HEADER_BYTES = 65_536;
const MAX_DIMENSIONS = 16;
const DTYPES: Readonly<Record<string, NpyHeader['dtype']>> = {
  '<f2': 'F16',
  '<f4': 'F32',
  '<f8': 'F64',
  '<i4': 'I32',
  '<i8': 'I64',
  '|u1': 'U8',
  '|i1': 'I8',
  '|b1': 'BOOL',
};

/** Reads the beginning of an `.npy` array (NEP 1). Throws `INVALID_MODEL_FOLDER` naming the array. */
export function readNpyHeader(bytes: Uint8Array, name: string, place: FilePlace): NpyHeader {
  const refuse = (field: string, received: unknown, required: string): never => {
    throw refuseWeights(place, `${quote(name)}: ${field}`, received, required);
  };
  if (MAGIC.some((byte, at) => bytes[at] !== byte)) refuse('the beginning', 'something else', 'an array of numpy');
  const version = bytes[6];
  if (version < 1 || version > 3) refuse('version', version, '1, 2 or 3');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lengthEnd = version === 1 ? 10 : 12;
  if (bytes.length < lengthEnd) refuse('the header', 'cut', 'whole');
  const begin = lengthEnd + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (begin > bytes.length) refuse('length of the header', begin, `at most ${bytes.length}`);
  const text = new TextDecoder('latin1').decode(bytes.subarray(lengthEnd, begin));
  const found =
    /^\{\s*'descr':\s*'([^']{1,20})',\s*'fortran_order':\s*(True|False),\s*'shape':\s*\(([\d,\sL]{0,400})\),?\s*\}\s*$/.exec(
      text,
    );
  if (found === null) return refuse('the header', text.slice(0, 80), 'descr, fortran_order and shape');
  const [, descr, order, dims] = found;
  const bigEndian = descr.startsWith('>');
  const dtype = DTYPES[descr.replace(/^>/, '<')];
  if (dtype === undefined) {
    const pickle = descr.includes('O') ? '; arrays of objects are pickles, which are never read' : '';
    refuse('descr', descr, `one of ${Object.keys(DTYPES).join(', ')}, or > in the place of <${pickle}`);
  }
  // Python 2 wrote an L behind long integers.
  const shape = dims
    .replaceAll('L', '')
    .split(',')
    .flatMap((size) => (size.trim() === '' ? [] : [Number(size)]));
  const count = shape.reduce((product, size) => product * size, 1);
  if (shape.length > MAX_DIMENSIONS || !shape.every(Number.isSafeInteger) || !Number.isSafeInteger(8 * count)) {
    refuse('shape', dims, `at most ${MAX_DIMENSIONS} sizes that fit in a file`);
  }
  return { dtype, shape, bigEndian, fortran: order === 'True' && shape.length > 1, begin };
}
