import { join } from 'node:path';
import { adviceForFile, type FilePlace, foreignContent, invalidFolder, quote } from '@foretoken/models/internal';

/** What else is often given in the place of a GGUF file, by its name. */
const OTHERS = [
  [/\.safetensors$/i, 'a file of safetensors'],
  [/\.npz$/i, 'an archive of numpy'],
  [/\.onnx$/i, 'a graph'],
] as const;

/** The error for a file that does not begin as a GGUF file: what it is instead, and what to give. */
export function noGguf(bytes: Uint8Array, magic: string, { folder, file }: FilePlace): Error {
  const begin = new TextDecoder('latin1').decode(bytes.subarray(0, magic.length));
  const foreign = foreignContent(bytes);
  const [, kind] = OTHERS.find(([name]) => name.test(file)) ?? [];
  const is =
    kind === undefined
      ? `is no GGUF file: it begins with ${quote(begin)}, not with "${magic}"`
      : `is ${kind}, which does not say alone what model it is`;
  const what =
    foreign === undefined ? `${is}. ${adviceForFile(join(folder, file))}` : `holds no weights: it is ${foreign}`;
  return invalidFolder(`${file} in ${folder} ${what}`, {
    folder,
    file,
    field: 'the beginning',
    received: begin,
    required: 'a GGUF file',
  });
}
