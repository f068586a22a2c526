import { tokenLanguageModel } from '@foretoken/language-models';
import type { CtcInput, CtcOutput, FloatSource, LoadedModel } from '@foretoken/models';
import { ctcGreedy, ctcPrefixBeam } from '@foretoken/one-shot';
import { readCorrectionTests } from '../correction-tests.js';
import { modelGoldens } from '../real-models.js';
import { characterNgrams } from './character-ngrams.js';
import { type GreyCrop, stripOf } from './grey-crop.js';

/** A blurred crop of a line of English, what is written in it, and what rapidocr reads. */
interface Line extends GreyCrop {
  readonly written: string;
  readonly text: string;
}

/** How well lines are read: those without an error, and the characters to change in all for each that is written. */
export interface Reading {
  readonly exact: number;
  readonly characterErrorRate: number;
}

/** What is read of the lines, by the best path, by prefix beam search, and with n-grams of characters. */
export interface LineReadings {
  readonly lines: number;
  /** Lines of which the best path is what rapidocr reads. */
  readonly equalToRapidOcr: number;
  readonly greedy: Reading;
  readonly prefixBeam: Reading;
  readonly withCharacters: Reading;
}

/** Every tenth sentence is written in a crop, see `make_goldens.py`; the others are learnt from. */
const LINE_STEP = 10;
const ORDER = 5;

/** Reads all lines in three ways. The weight of the n-grams is the default of `ctcPrefixBeam`, 0.3; nothing was tuned on the lines. */
export async function readLines(model: LoadedModel<CtcInput, CtcOutput, FloatSource>): Promise<LineReadings> {
  const lines = modelGoldens('pp-ocr-lines') as readonly Line[];
  const { good } = await readCorrectionTests();
  const learnt = good.filter((_, index) => index % LINE_STEP !== 0);
  const ngrams = characterNgrams(learnt, ORDER, model.manifest.vocabulary.size);
  const characters = tokenLanguageModel(ngrams, (tokenId) => model.tokenizer.tokenText(tokenId));
  const strips = lines.map(stripOf);
  const greedy = await model.decode(strips, ctcGreedy<FloatSource>());
  const prefixBeam = await model.decode(strips, ctcPrefixBeam<FloatSource>());
  const withCharacters = await model.decode(
    strips,
    ctcPrefixBeam<FloatSource>({ languageModel: { model: characters } }),
  );
  const reading = (outputs: readonly CtcOutput[]): Reading => judged(lines, outputs);
  return {
    lines: lines.length,
    equalToRapidOcr: lines.filter(({ text }, index) => greedy[index].text === text).length,
    greedy: reading(greedy),
    prefixBeam: reading(prefixBeam),
    withCharacters: reading(withCharacters),
  };
}

function judged(lines: readonly Line[], outputs: readonly CtcOutput[]): Reading {
  const written = lines.reduce((sum, line) => sum + line.written.length, 0);
  const changes = lines.reduce((sum, line, index) => sum + editDistance(line.written, outputs[index].text), 0);
  return {
    exact: lines.filter((line, index) => outputs[index].text === line.written).length,
    characterErrorRate: changes / written,
  };
}

/** Characters to insert, delete or replace (Levenshtein, 1966). */
function editDistance(from: string, to: string): number {
  let before = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (const [row, character] of [...from].entries()) {
    const here = [row + 1];
    for (let column = 0; column < to.length; column++) {
      const replaced = before[column] + (to[column] === character ? 0 : 1);
      here.push(Math.min(replaced, before[column + 1] + 1, here[column] + 1));
    }
    before = here;
  }
  return before[to.length];
}
