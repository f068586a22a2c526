import { createReadStream } from 'node:fs';
import { ForetokenError } from '@foretoken/core';
import { LINE_LIMIT, textLines } from '@foretoken/metrics';

/** A source and a reference text, line by line. */
export interface TestSet {
  readonly name: string;
  readonly sources: readonly string[];
  readonly references: readonly string[];
}

const DATA = new URL('../data/', import.meta.url);

async function lines(file: URL | string): Promise<string[]> {
  const refuse = (why: string, cause?: unknown): never => {
    throw new ForetokenError('INVALID_ARGUMENT', `${file} cannot be read: ${why}.`, { file: String(file) }, { cause });
  };
  const texts: string[] = [];
  try {
    for await (const { number, text, length } of textLines(createReadStream(file))) {
      if (length > LINE_LIMIT) refuse(`line ${number} has ${length} characters, and the most is ${LINE_LIMIT}`);
      texts.push(text);
    }
  } catch (error) {
    if (ForetokenError.isInstance(error)) throw error;
    refuse(error instanceof Error ? error.message : String(error), error);
  }
  return texts;
}

/** The Multi30k test set kept beside the benches (Elliott et al., 2016); never part of an npm package. */
export function flickr2016(): Promise<TestSet> {
  return readTestSet('test_2016_flickr', new URL('test_2016_flickr.en', DATA), new URL('test_2016_flickr.de', DATA));
}

/** Any parallel text, read as the command line reads its input. Throws `INVALID_ARGUMENT` when the line counts differ. */
export async function readTestSet(name: string, source: URL | string, reference: URL | string): Promise<TestSet> {
  const [sources, references] = await Promise.all([lines(source), lines(reference)]);
  if (sources.length !== references.length) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `${name}: the source has ${sources.length} lines and the reference ${references.length}; they must be equal.`,
      { source: sources.length, reference: references.length },
    );
  }
  return { name, sources, references };
}
