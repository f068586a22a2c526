import { loadModel } from '@foretoken/models';
import { acquaintanceWith, FOREIGN, LINES_LOOKED_AT, strangeness } from '../../cli/src/foreign-text.js';
import { shippedModelFolder } from './bench-model.js';
import { readCorrectionTests } from './correction-tests.js';
import { rounded, roundedSpread, spread } from './statistics.js';
import { flickr2016 } from './test-sets.js';

/**
 * How well the command line tells text that the default model was made for, captions, from other text, dictionary definitions and
 * technical prose: the share of each that it calls foreign, line by line and by groups of lines.
 */
export async function foreignBench(threads: number | undefined, limit = 300): Promise<Record<string, unknown>> {
  const captions = (await flickr2016()).sources.slice(0, limit);
  const others = (await readCorrectionTests(limit)).good.slice(0, limit);
  const model = await loadModel(shippedModelFolder(), { threads });
  try {
    const figures = async (texts: readonly string[]) => {
      const scores: number[] = [];
      const groups: number[] = [];
      for (let from = 0; from < texts.length; from += LINES_LOOKED_AT) {
        const lines = texts
          .slice(from, from + LINES_LOOKED_AT)
          .map((text) => ({ text, source: model.tokenizer.encode(text) }));
        const known = (await acquaintanceWith(model, lines, undefined)) ?? [];
        scores.push(...known.map((one) => strangeness([one])));
        groups.push(strangeness(known));
      }
      const share = (values: readonly number[]) =>
        rounded(values.filter((value) => value > FOREIGN).length / values.length, 3);
      return {
        lines: texts.length,
        score: roundedSpread(spread(scores)),
        foreign: share(scores),
        foreignOfGroups: share(groups),
      };
    };
    return { bench: 'foreign', threshold: FOREIGN, captions: await figures(captions), others: await figures(others) };
  } finally {
    await model.dispose();
  }
}
