import { readdir } from 'node:fs/promises';
import { type FilePlace, unsupportedModel } from '@foretoken/models/internal';
import { readAt, withFile } from './weights-file.js';

/** As torch.save is told to name files. */
const NAMES = /\.(bin|pt|pth|ckpt)$/i;
/** As transformers names weights, whole or in parts; what else of torch lies in a folder is seldom weights. */
const WEIGHTS = /^pytorch_model.*\.bin(\.index\.json)?$/;
/** The name of an archive's first entry is in them. */
const HEAD_BYTES = 512;

/**
 * Throws `UNSUPPORTED_MODEL` for a file that torch.save wrote, whatever its name is: as an archive, or as releases before 1.6 did.
 * Nothing of it is read but how it begins.
 */
export async function refusePickle(place: FilePlace): Promise<void> {
  if (await isPickle(place)) throw refusal(place);
}

/** Throws `UNSUPPORTED_MODEL` for a folder that holds weights as torch.save writes them. */
export async function refusePickles(folder: string): Promise<void> {
  const names = (await readdir(folder).catch((): string[] => [])).sort();
  const weights = names.find((name) => WEIGHTS.test(name));
  if (weights !== undefined) throw refusal({ folder, file: weights });
  for (const file of names.filter((name) => NAMES.test(name))) {
    const place = { folder, file };
    // What cannot be opened is no reason to say anything of.
    if (await isPickle(place).catch(() => false)) throw refusal(place);
  }
}

async function isPickle(place: FilePlace): Promise<boolean> {
  const begin = await withFile(place, (open) => {
    return readAt(open, new Uint8Array(Math.min(HEAD_BYTES, open.bytes)), 0, place);
  });
  // PROTO, the first opcode of a pickle since its second protocol.
  if (begin[0] === 0x80 && begin[1] >= 2 && begin[1] <= 5) return true;
  const head = Buffer.from(begin.buffer, begin.byteOffset, begin.length).toString('latin1');
  return head.startsWith('PK\u0003\u0004') && head.includes('/data.pkl');
}

function refusal({ folder, file }: FilePlace) {
  const what = file.endsWith('.json') ? 'an index of pickles' : 'a pickle';
  return unsupportedModel(
    `${file} in ${folder} is ${what}. A pickle can run any code when it is read, so it is not read here; model.safetensors is required. Run this in the folder, which reads tensors and nothing else: ${conversion(file)}`,
    { folder, file, received: what, required: 'model.safetensors' },
  );
}

/** The command that writes all tensors to model.safetensors. With `weights_only`, torch runs nothing that a pickle asks for. */
function conversion(file: string): string {
  // Parts of one model become one file. Names that a shell or Python would read otherwise are told by their ending.
  const simple = /^[\w.-]+$/.test(file) ? file : `*${file.slice(file.lastIndexOf('.'))}`;
  const files = WEIGHTS.test(file) ? 'pytorch_model*.bin' : simple;
  const tensors = `{name: tensor.clone().contiguous() for file in glob.glob('${files}') for name, tensor in torch.load(file, map_location='cpu', weights_only=True).items()}`;
  return `python -c "import glob, torch; from safetensors.torch import save_file; save_file(${tensors}, 'model.safetensors', {'format': 'pt'})"`;
}
