import { readdir } from 'node:fs/promises';
import { CONFIG, quote, unsupportedModel } from '@foretoken/models/internal';

const ADAPTER = /^adapter\.(.+)\.(?:safetensors|bin)$/;

/**
 * Throws `UNSUPPORTED_MODEL` for weights of a CTC model, as its config names it: they are not read, but its export is. Says which
 * languages have weights of their own.
 */
export async function refuseCtc(folder: string, { architectures }: Readonly<Record<string, unknown>>): Promise<void> {
  const listed: readonly unknown[] = Array.isArray(architectures) ? architectures : [];
  const named = listed.find((name) => typeof name === 'string' && name.endsWith('ForCTC'));
  if (named === undefined) return;
  const names = await readdir(folder).catch((): string[] => []);
  const [language] = names.flatMap((name) => ADAPTER.exec(name)?.[1] ?? []).sort();
  const adapted =
    language === undefined
      ? ''
      : ` Its languages have weights of their own: save one first, by from_pretrained(${quote(folder)}, target_lang=${quote(language)}, ignore_mismatched_sizes=True) and save_pretrained of transformers, and tell it as --language ${language}.`;
  throw unsupportedModel(
    `${folder}: config.json says ${quote(named)}, a CTC model, whose weights are not read. Export it: optimum-cli export onnx --model ${folder} --task automatic-speech-recognition exported. Then import exported/model.onnx with --dictionary exported/vocab.json.${adapted}`,
    { folder, file: CONFIG, field: 'architectures', received: named, required: 'an exported graph' },
  );
}
