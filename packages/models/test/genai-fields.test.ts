import { describe, expect, it } from 'vitest';
import { exportCopy } from './export-folders.js';
import { edit, refusal } from './export-refusal.js';

const CONFIG = 'genai_config.json';
const isFields = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** The refusal of a folder whose config says another value of `model`, or of its part. */
async function refused(field: string, value: unknown, part?: 'decoder') {
  const folder = await exportCopy('genai');
  await edit(folder, CONFIG, (content) => {
    const { model } = content;
    const place = isFields(model) && part !== undefined ? model[part] : model;
    if (isFields(place)) place[field] = value;
    return content;
  });
  return refusal(folder);
}

describe('a genai_config.json that says something wrong', () => {
  it.each([
    ['vocab_size', 7],
    ['eos_token_id', 9999],
    ['pad_token_id', '0'],
    ['context_length', 0],
  ])('is named with its field model.%s', async (field, value) => {
    const error = await refused(field, value);
    expect(error).toMatchObject({ details: { file: CONFIG, field: `model.${field}` } });
    expect(error.message).toContain(`model.${field}`);
  });

  it.each(['head_size', 'num_key_value_heads'])('is named with its field model.decoder.%s', async (field) => {
    const error = await refused(field, 'x', 'decoder');
    expect(error).toMatchObject({ details: { file: CONFIG, field: `model.decoder.${field}` } });
  });
});
