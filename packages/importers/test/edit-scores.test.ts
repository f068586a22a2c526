import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { collect } from '@foretoken/core';
import { loadModel } from '@foretoken/models';
import { levenshtein } from '@foretoken/refine';
import { expect, it } from 'vitest';
import { refusal, temporaryFolder } from '../../models/test/folder-fixtures.js';
import { SOURCES, weightsOf } from '../../models/test/student-fixtures.js';
import { importModel } from '../src/index.js';
import { editTensor, tensorsOf } from './import-fixtures.js';

it('numbers of placeholders whose scores overflow are refused, and never taken for counts', async () => {
  const parent = await temporaryFolder();
  const edit = join(parent, 'edit');
  await cp(await weightsOf('edit'), edit, { recursive: true });
  const name = [...(await tensorsOf(edit)).keys()].find((tensor) => /placeholder\.weight$/.test(tensor)) as string;
  await editTensor(edit, name, (values) => values.set(values.map((_, at) => (at % 2 === 0 ? 3e38 : -3e38))));
  await importModel(await weightsOf('marian'), join(parent, 'model'), { edit, weights: 'float32' });
  await using model = await loadModel(join(parent, 'model'), { probe: false });
  const decode = levenshtein().decode(model.part('edit'), { sources: SOURCES });
  const error = await refusal(() => collect(decode));
  expect(error).toMatchObject({ code: 'RUNTIME_FAILURE', message: expect.stringContaining('-1 placeholders') });
});
