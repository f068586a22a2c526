import { ForetokenError } from '@foretoken/core';
import { wrongValue } from '@foretoken/core/kit';

/** Sound of a file, its channels mixed to one. */
export interface Sound {
  /** From -1 to 1. */
  readonly samples: Float32Array;
  /** Samples a second. */
  readonly sampleRate: number;
}

const PCM = 1;
const FLOAT = 3;
const EXTENSIBLE = 0xfffe;
const MAX_CHANNELS = 64;
const MAX_RATE = 1_000_000;

type ReadSample = (view: DataView, at: number) => number;

/** By format and bits a sample. */
const READERS: Readonly<Record<string, ReadSample>> = {
  [`${PCM}/8`]: (view, at) => (view.getUint8(at) - 128) / 128,
  [`${PCM}/16`]: (view, at) => view.getInt16(at, true) / 32_768,
  [`${PCM}/24`]: (view, at) => (view.getInt16(at + 1, true) * 256 + view.getUint8(at)) / 8_388_608,
  [`${PCM}/32`]: (view, at) => view.getInt32(at, true) / 2_147_483_648,
  [`${FLOAT}/32`]: (view, at) => view.getFloat32(at, true),
  [`${FLOAT}/64`]: (view, at) => view.getFloat64(at, true),
};

/**
 * Reads a WAV file: PCM of 8, 16, 24 or 32 bits, or floating-point numbers of 32 or 64. A reader of our own, since the packages that
 * read WAV files trust the lengths they find in them, or have not been kept for years.
 *
 * Throws `INVALID_ARGUMENT` for what is no such file, naming the field, and `EMPTY_SOURCE` for one without sound.
 */
export function readWav(bytes: Uint8Array): Sound {
  if (!ArrayBuffer.isView(bytes) || !(bytes instanceof Uint8Array))
    throw wrongValue('wav', bytes, 'the bytes of a WAV file');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const name = (at: number): string =>
    at + 4 <= bytes.length ? new TextDecoder('latin1').decode(bytes.subarray(at, at + 4)) : '';
  if (name(0) !== 'RIFF' || name(8) !== 'WAVE') {
    refuse('the beginning', `${name(0)}${name(8)}`, 'RIFF and WAVE. Convert the recording to a WAV file');
  }
  let format: Format | undefined;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const [id, size] = [name(at), view.getUint32(at + 4, true)];
    const begin = at + 8;
    const rest = bytes.length - begin;
    if (id === 'fmt ') {
      if (size < 16 || size > rest) refuse('size of "fmt "', size, `from 16 to ${rest}`);
      format = readFormat(view, begin, size);
    }
    if (id === 'data') {
      if (format === undefined) return refuse('"fmt "', 'missing', 'there before the sound');
      // Recorders that write to a pipe do not know the size.
      const unknown = size === 0xffffffff || size === 0;
      if (!unknown && size > rest) refuse('size of "data"', size, `at most ${rest}: the file is cut off`);
      return mixed(view, begin, unknown ? rest : size, format);
    }
    at = begin + size + (size % 2);
  }
  return refuse('"data"', 'missing', 'there, with the sound');
}

interface Format {
  readonly channels: number;
  readonly sampleRate: number;
  readonly bytes: number;
  readonly read: ReadSample;
}

function readFormat(view: DataView, at: number, size: number): Format {
  const tag = view.getUint16(at, true);
  const channels = view.getUint16(at + 2, true);
  const sampleRate = view.getUint32(at + 4, true);
  const bits = view.getUint16(at + 14, true);
  // The format proper is the beginning of a longer identifier.
  const kind = tag === EXTENSIBLE && size >= 26 ? view.getUint16(at + 24, true) : tag;
  const read = READERS[`${kind}/${bits}`];
  if (read === undefined) {
    refuse('format', `number ${kind} with ${bits} bits`, 'PCM of 8, 16, 24 or 32 bits, or floats of 32 or 64');
  }
  if (channels < 1 || channels > MAX_CHANNELS) refuse('channels', channels, `from 1 to ${MAX_CHANNELS}`);
  if (sampleRate < 1 || sampleRate > MAX_RATE) refuse('sample rate', sampleRate, `from 1 to ${MAX_RATE}`);
  return { channels, sampleRate, bytes: bits / 8, read };
}

function mixed(view: DataView, begin: number, size: number, { channels, sampleRate, bytes, read }: Format): Sound {
  const samples = new Float32Array(Math.floor(size / (channels * bytes)));
  if (samples.length === 0) throw new ForetokenError('EMPTY_SOURCE', 'The WAV file holds no sound.', {});
  for (let index = 0, at = begin; index < samples.length; index++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++, at += bytes) sum += read(view, at);
    samples[index] = sum / channels;
  }
  return { samples, sampleRate };
}

function refuse(field: string, received: unknown, required: string): never {
  throw new ForetokenError(
    'INVALID_ARGUMENT',
    `The WAV file cannot be read: ${field} is ${String(received)}, but it must be ${required}.`,
    { option: 'wav', field, received, required },
  );
}
