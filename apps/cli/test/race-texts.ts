import { fakeModel } from './support.js';

export const TEXTS = ['--text', 'a dog runs on grass', '--text', 'a man sits'];

/** The built-in sentences are longer than the fake model's words allow; this one takes their first words. */
export function longModel() {
  const model = fakeModel();
  const { encode } = model.tokenizer;
  return {
    ...model,
    tokenizer: { ...model.tokenizer, encode: (text: string) => encode(text.split(' ').slice(0, 8).join(' ')) },
  };
}
