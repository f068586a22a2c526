import { canvasModelConformance, drafterConformance, tokenForestConformance } from '@foretoken/testkit';
import { describe, it } from 'vitest';
import { oneShotDrafter } from './one-shot-drafter.ts';
import { train } from './position-wise.ts';
import { positionWiseModel } from './position-wise-model.ts';
import { rnnModel } from './rnn-model.ts';
import { toTokens, VOCABULARY } from './task.ts';

const runner = { describe, it };
const sources = ['1 2 3', '3 1', '2'].map(toTokens);
const model = positionWiseModel(train(sources.map((source) => [source, source.map((digit) => digit + 6)])));

tokenForestConformance({ runner, name: 'the recurrent network', createModel: () => rnnModel, sources });
canvasModelConformance({ runner, name: 'the position-wise network', createModel: () => model, sources });
const createDrafter = () => oneShotDrafter(model);
drafterConformance({ runner, name: 'its drafts', createDrafter, vocabulary: VOCABULARY, sources });
