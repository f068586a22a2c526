import { invalidFolder, isObject, quote } from '@foretoken/models/internal';
import type { WeightsFolder } from '../../readers/hugging-face/weights-folder.js';

const CONFIG = 'tokenizer_config.json';
const TOKENIZER = 'tokenizer.json';
/** What masks are called where no config says it. */
const USUAL = ['[MASK]', '<mask>'];

/** The mask of a tokenizer, and how texts spell it. Throws `INVALID_MODEL_FOLDER` where there is none. */
export async function readMaskToken(
  folder: WeightsFolder,
  tokens: ReadonlyMap<string, number>,
): Promise<{ readonly mask: string; readonly maskTokenId: number }> {
  const { path } = folder;
  const given = (await folder.readTokenizerConfig?.())?.mask_token;
  const named = isObject(given) ? given.content : given;
  if (named !== undefined && named !== null) {
    if (typeof named === 'string') {
      const maskTokenId = tokens.get(named);
      if (maskTokenId !== undefined) return { mask: named, maskTokenId };
    }
    throw invalidFolder(
      `${CONFIG} in ${path} has mask_token = ${quote(named)}, but ${TOKENIZER} has no such added token. Fetch both files of the same model again.`,
      { folder: path, file: CONFIG, field: 'mask_token', received: named, required: 'an added token of the tokenizer' },
    );
  }
  for (const mask of USUAL) {
    const maskTokenId = tokens.get(mask);
    if (maskTokenId !== undefined) return { mask, maskTokenId };
  }
  throw invalidFolder(
    `${TOKENIZER} in ${path} has no mask token, so no text could say what is to be filled. Fetch the tokenizer of these weights, or name its mask as mask_token in ${CONFIG}.`,
    {
      folder: path,
      file: TOKENIZER,
      field: 'added_tokens',
      received: [...tokens.keys()].slice(0, 20),
      required: USUAL,
    },
  );
}
