import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Yielder } from '@foretoken/core/kit';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../models/test/folder-fixtures.js';
import { importModel } from '../src/index.js';
import { GgufFields } from '../src/readers/gguf/gguf-fields.js';
import { ggufChat } from '../src/readers/gguf/gguf-tokenizer.js';
import { type GgufFile, openGguf } from '../src/readers/gguf/open-gguf.js';
import { withTurnEnd } from '../src/readers/gguf/turn-end.js';

const FOLDER = fileURLToPath(new URL('goldens/gguf/', import.meta.url));
const GOOD = await openGguf({ folder: FOLDER, file: 'llama-byte-level.gguf' }, new Yielder());
const EACH = (begin: string, end: string): string =>
  `{% for m in messages %}{{ '${begin}' + m['role'] + '\n' + m['content'] + '${end}' }}{% endfor %}`;

/** The ends of a file that names only the first token as one, with another template and other texts of its first tokens. */
async function ends(template: string, texts: readonly string[] = [], kinds?: readonly number[]): Promise<unknown> {
  const change = <Item>(key: string, items: readonly Item[]): readonly [string, readonly Item[]] => [
    key,
    [...items, ...(GOOD.metadata.get(key) as readonly Item[]).slice(items.length)],
  ];
  const metadata: GgufFile['metadata'] = new Map([
    ...GOOD.metadata,
    change('tokenizer.ggml.tokens', texts),
    change('tokenizer.ggml.token_type', kinds ?? []),
    ['tokenizer.ggml.eos_token_id', 0],
    ['tokenizer.chat_template', template],
  ]);
  const fields = new GgufFields({ ...GOOD, metadata }, { folder: FOLDER, file: 'model.gguf' });
  return withTurnEnd([0], fields, ggufChat(fields));
}

describe('the token that ends a turn', () => {
  it.each([
    ['<|im_end|>', EACH('<|im_start|>', '<|im_end|>\n'), undefined],
    ['<|eot_id|>', EACH('<|start_header_id|>', '<|eot_id|>'), undefined],
    ['<end_of_turn>', EACH('<start_of_turn>', '\n<end_of_turn>\n'), undefined],
    // As nobody has written it yet.
    ['[[over to you]]', EACH('[[', ' [[over to you]]'), undefined],
    // A piece that is read whole in texts is one too.
    ['<|user_defined|>', EACH('', '<|user_defined|>'), 4],
  ])('is %s, which the template writes after what the model says', async (token, template, kind) => {
    expect(await ends(template, ['<|endoftext|>', '<|im_start|>', token], [3, 3, kind ?? 3])).toEqual([0, 2]);
  });

  it('is the longest of those that fit', async () => {
    expect(await ends(EACH('', '<|end|>user'), ['<|endoftext|>', '<|end|', '<|end|>'])).toEqual([0, 2]);
  });

  it.each([
    ['a template that writes none', EACH('<|im_start|>', '\n')],
    ['the end of texts, which is known', EACH('<|im_start|>', '<|endoftext|>')],
    ['what begins the next message', `${EACH('', '')}{% if add_generation_prompt %}<|im_start|>{% endif %}`],
    ['a template that refuses', "{{ raise_exception('no') }}"],
    ['a text that is no template', '{% if %}'],
    ['a template that leaves out what the model said', '{{ messages[0].content }}<|im_end|>'],
    ['a template that is too long', `${EACH('', '<|im_end|>')}${'x'.repeat(300_000)}`],
  ])('is not made of %s', async (_, template) => {
    expect(await ends(template)).toEqual([0]);
  });

  it('is no plain piece', async () => {
    expect(await ends(EACH('', '<|im_end|>'), [], [3, 3, 1])).toEqual([0]);
  });

  it('ends answers of an imported file that names another end', async () => {
    const bytes = await readFile(join(FOLDER, 'llama-byte-level.gguf'));
    const key = 'tokenizer.ggml.eos_token_id';
    bytes.writeUInt32LE(0, bytes.indexOf(key) + key.length + 4);
    const folder = await temporaryFolder();
    const file = join(folder, 'model.gguf');
    await writeFile(file, bytes);
    const manifest = await importModel(file, join(folder, 'model'));
    expect(manifest).toMatchObject({ vocabulary: { endTokenId: 0 }, stopTokenIds: [2] });
  });
});
