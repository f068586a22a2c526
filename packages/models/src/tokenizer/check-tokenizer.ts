import { isObject } from '../folder/json.js';
import { invalidFolder, quote, unsupportedModel } from '../folder/refusal.js';
import type { SAFE_PATTERNS } from './safe-patterns.js';
import {
  CHILDREN,
  COMPONENTS,
  MAX_ADDED_TEXT,
  MAX_COMPONENTS,
  MAX_GROWTH,
  MAX_TEMPLATE,
  MAX_TEXT,
  MAX_TOKEN,
  MAX_VOCABULARY_TEXT,
  SEARCHED,
  TEXTS,
} from './tokenizer-parts.js';

/** A tokenizer file whose parts were found to be known, bounded and free of patterns that could hang. */
export interface CheckedTokenizer {
  /** The parsed file, as the tokenizer library takes it. */
  readonly content: Record<string, unknown>;
  /** Ids of added tokens that are marked special. */
  readonly specialTokenIds: readonly number[];
}

/** What checks files that not all folders have: it is loaded where it is needed. */
export interface OwnTokenizerCode {
  readonly SAFE_PATTERNS: typeof SAFE_PATTERNS;
  checkUnigram(check: Check, model: Record<string, unknown>): void;
  checkWordPieces(check: Check, model: Record<string, unknown>, vocab: Record<string, unknown>): void;
}

/**
 * Checks a parsed tokenizer file before the tokenizer library sees it: known components, bounded sizes, token ids inside a
 * vocabulary of `size`, and no regular expression but the published ones, since others could hang.
 * `own` is what checks what the library does not do as the original.
 *
 * Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`, each naming the field.
 */
export function checkTokenizer(
  parsed: unknown,
  size: number,
  file: string,
  own: OwnTokenizerCode | undefined,
): CheckedTokenizer {
  const check = new Check(file, size, own);
  if (!isObject(parsed)) return check.refuse('the whole file', parsed, 'a JSON object');
  for (const kind of Object.keys(COMPONENTS)) {
    if (parsed[kind] === undefined) check.refuse(kind, 'missing', 'an object or null');
    check.component(parsed[kind], kind, kind);
  }
  check.model(parsed.model);
  return { content: parsed, specialTokenIds: check.addedTokens(parsed.added_tokens) };
}

/** Refuses what is not as it must be. */
export class Check {
  /** How many times longer the steps so far can make a text. */
  #growth = 1;
  #components = 0;
  readonly #file: string;
  readonly size: number;
  readonly #own: OwnTokenizerCode | undefined;

  constructor(file: string, size: number, own: OwnTokenizerCode | undefined) {
    this.#file = file;
    this.size = size;
    this.#own = own;
  }

  refuse(field: string, received: unknown, required: string): never {
    throw invalidFolder(
      `${this.#file}: ${field} is ${quote(received)}, but it must be ${required}. Fetch or export the tokenizer again.`,
      { file: this.#file, field, received, required },
    );
  }

  unsupported(field: string, received: unknown, required: string): never {
    throw unsupportedModel(
      `${this.#file}: ${field} is ${quote(received)}, which is not supported; supported: ${required}. Export the tokenizer without it.`,
      { file: this.#file, field, received, required },
    );
  }

  component(value: unknown, kind: string, field: string): void {
    if (value === null) return;
    if (!isObject(value)) this.refuse(field, value, 'an object or null');
    const known = COMPONENTS[kind];
    const { type } = value;
    if (typeof type !== 'string' || !known.has(type)) {
      this.unsupported(`${field}.type`, type, [...known].join(', '));
    }
    // Also bounds the depth, since a component holds its children.
    if (++this.#components > MAX_COMPONENTS) this.refuse(field, 'one more', `within ${MAX_COMPONENTS} components`);
    for (const key of CHILDREN) {
      const children = value[key];
      if (children === undefined) continue;
      if (!Array.isArray(children)) this.refuse(`${field}.${key}`, children, 'a list');
      children.forEach((child, index) => {
        this.component(child, kind, `${field}.${key}[${index}]`);
      });
    }
    for (const key of TEXTS) {
      const text = value[key];
      if (text === undefined || text === null) continue;
      if (typeof text !== 'string' || text.length > MAX_TEXT) {
        this.refuse(`${field}.${key}`, text, `a text of at most ${MAX_TEXT} characters`);
      }
    }
    this.#settings(value, type, field);
  }

  #settings(value: Record<string, unknown>, type: string, field: string): void {
    const integers: Readonly<Record<string, readonly [key: string, min: number][]>> = {
      FixedLength: [['length', 1]],
      Strip: [
        ['start', 0],
        ['stop', 0],
      ],
    };
    for (const [key, min] of integers[type] ?? []) {
      const number = value[key];
      const optional = type === 'Strip' && number === undefined;
      if (!optional && !isInteger(number, min, 1_000_000)) {
        this.refuse(`${field}.${key}`, number, `an integer from ${min}`);
      }
    }
    if (type === 'Replace' || type === 'Split') {
      const shortest = this.#pattern(value.pattern, `${field}.pattern`);
      const content = typeof value.content === 'string' ? value.content.length : 0;
      // An empty pattern matches around every character.
      if (type === 'Replace') this.#growth *= shortest === 0 ? content + 1 : Math.max(1, content / shortest);
    }
    if (type === 'Metaspace') {
      this.#growth *= Math.max(1, String(value.str_rep ?? '').length, String(value.replacement ?? '').length);
    }
    const searched = SEARCHED[type];
    if (searched !== undefined && (value[searched] ?? (type === 'Metaspace' ? '\u2581' : '')) === '') this.#growth *= 2;
    if (this.#growth > MAX_GROWTH) {
      const required = `one that leaves all steps together lengthening a text at most ${MAX_GROWTH}-fold`;
      this.refuse(field, `${type}, to ${this.#growth}-fold`, required);
    }
    if (type === 'TemplateProcessing') this.#template(value.single, `${field}.single`);
    if (type === 'BertProcessing' || type === 'RobertaProcessing') {
      for (const key of ['cls', 'sep']) {
        const pair = value[key];
        if (!Array.isArray(pair) || typeof pair[0] !== 'string') this.refuse(`${field}.${key}`, pair, '[token, id]');
      }
    }
  }

  /** Returns the fewest characters a match has. */
  #pattern(pattern: unknown, field: string): number {
    if (!isObject(pattern)) this.refuse(field, pattern, '{ "String": text } or { "Regex": expression }');
    if (Object.hasOwn(pattern, 'Regex')) {
      const { Regex: expression } = pattern;
      if (typeof expression !== 'string' || !this.#own?.SAFE_PATTERNS.has(expression)) {
        this.unsupported(
          `${field}.Regex`,
          expression,
          'a plain String, or a published expression that is known to run in linear time',
        );
      }
      return 1;
    }
    const text = pattern.String;
    if (typeof text !== 'string' || text.length > MAX_TEXT) {
      this.refuse(`${field}.String`, text, `a text of at most ${MAX_TEXT} characters`);
    }
    return text.length;
  }

  #template(items: unknown, field: string): void {
    if (!Array.isArray(items) || items.length > MAX_TEMPLATE) {
      this.refuse(field, items, `a list of at most ${MAX_TEMPLATE} items`);
    }
    let sequences = 0;
    items.forEach((item, index) => {
      const place = `${field}[${index}]`;
      if (isObject(item) && isObject(item.SpecialToken)) {
        if (typeof item.SpecialToken.id !== 'string') this.refuse(`${place}.SpecialToken.id`, item, 'a token');
      } else if (!isObject(item) || !isObject(item.Sequence) || item.Sequence.id !== 'A') {
        this.refuse(place, item, 'a special token or the sequence A');
      } else sequences++;
    });
    if (sequences !== 1) this.refuse(field, items, 'a list that holds the sequence A once');
  }

  model(model: unknown): void {
    if (!isObject(model)) this.refuse('model', model, 'an object');
    const { type, vocab } = model;
    const own = this.#own;
    if (type === 'Unigram' && own) own.checkUnigram(this, model);
    else if (type === 'BPE' || (type === 'WordPiece' && own)) {
      if (!isObject(vocab)) this.refuse('model.vocab', vocab, 'an object of token ids');
      const tokens = Object.keys(vocab);
      if (tokens.length > this.size) this.tooMany(tokens.length);
      for (const token of tokens) {
        // What it is called is made up for a refusal alone.
        if (!this.#isTokenId(vocab[token])) this.#tokenId(vocab[token], `model.vocab[${quote(token)}]`);
      }
      this.lengths(tokens, MAX_TOKEN);
      if (type === 'BPE') this.#bytePairs(model);
      else own?.checkWordPieces(this, model, vocab);
    } else this.unsupported('model.type', type, 'BPE, Unigram, WordPiece');
  }

  #bytePairs(model: Record<string, unknown>): void {
    const { merges } = model;
    if (!Array.isArray(merges)) this.refuse('model.merges', merges, 'a list');
    // The library reads all merges as it reads the first.
    const pairs = Array.isArray(merges[0]);
    merges.forEach((merge: unknown, index) => {
      const fits = pairs
        ? Array.isArray(merge) && merge.length === 2 && merge.every((part) => typeof part === 'string')
        : typeof merge === 'string';
      if (!fits) this.refuse(`model.merges[${index}]`, merge, pairs ? 'two texts' : 'a text');
    });
    for (const key of ['unk_token', 'end_of_word_suffix', 'continuing_subword_suffix', 'continuing_subword_prefix']) {
      this.shortText(model, key);
    }
  }

  shortText(model: Record<string, unknown>, key: string): void {
    const text = model[key];
    if (text === undefined || text === null || (typeof text === 'string' && text.length <= MAX_TEXT)) return;
    this.refuse(`model.${key}`, text, `a text of at most ${MAX_TEXT} characters`);
  }

  /** Returns the ids of special tokens. */
  addedTokens(tokens: unknown): number[] {
    if (!Array.isArray(tokens)) this.refuse('added_tokens', tokens, 'a list');
    let text = 0;
    const special: number[] = [];
    tokens.forEach((token: unknown, index) => {
      const field = `added_tokens[${index}]`;
      if (!isObject(token)) this.refuse(field, token, 'an object');
      const { id, content } = token;
      this.#tokenId(id, `${field}.id`);
      if (typeof content !== 'string' || content === '' || content.length > MAX_TEXT * 4) {
        this.refuse(`${field}.content`, content, `a text of 1 to ${MAX_TEXT * 4} characters`);
      }
      text += content.length;
      if (token.special === true) special.push(id as number);
    });
    if (text > MAX_ADDED_TEXT) this.refuse('added_tokens', text, `at most ${MAX_ADDED_TEXT} characters in all`);
    return special;
  }

  lengths(tokens: readonly string[], max: number): void {
    let text = 0;
    for (const token of tokens) {
      if (token.length > max) this.refuse('model.vocab', token, `a list of tokens of at most ${max} characters`);
      text += token.length;
    }
    if (text > MAX_VOCABULARY_TEXT) {
      this.refuse('model.vocab', `${text} characters`, `at most ${MAX_VOCABULARY_TEXT} characters in all`);
    }
  }

  #isTokenId(id: unknown): boolean {
    return isInteger(id, 0, this.size - 1);
  }

  #tokenId(id: unknown, field: string): void {
    if (this.#isTokenId(id)) return;
    this.refuse(field, id, `a token id inside the vocabulary, from 0 to ${this.size - 1}`);
  }

  tooMany(count: number): never {
    return this.refuse('model.vocab', `${count} tokens`, `at most ${this.size}, the size the manifest states`);
  }
}

/** Whether a value is an integer within bounds. */
export function isInteger(value: unknown, min: number, max: number): boolean {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
}
