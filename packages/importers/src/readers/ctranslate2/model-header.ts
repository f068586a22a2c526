import { type FilePlace, quote, unsupportedModel } from '@foretoken/models/internal';
import { FileFields, type ReadBytes } from '../file-fields.js';

/** Element types by the number that a file gives them. */
const TYPES = ['float32', 'int8', 'int16', 'int32', 'float16', 'bfloat16'] as const;
export type VariableType = (typeof TYPES)[number];
export const VARIABLE_BYTES: Readonly<Record<VariableType, number>> = {
  float32: 4,
  int8: 1,
  int16: 2,
  int32: 4,
  float16: 2,
  bfloat16: 2,
};

/** A variable of the model: where its values lie in the file, row-major and little-endian. A scalar has no dimensions. */
export interface Variable {
  readonly name: string;
  readonly type: VariableType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly bytes: number;
}

export interface ModelHeader {
  /** Name of the class that CTranslate2 opens the model with. */
  readonly spec: string;
  readonly revision: number;
  readonly variables: readonly Variable[];
  /** Further names of variables. */
  readonly aliases: readonly (readonly [alias: string, variable: string])[];
}

const BINARY_VERSION = 6;
// Far above those of any model.
const MAX_VARIABLES = 65_536;

/**
 * Reads what a CTranslate2 `model.bin` of `fileBytes` bytes holds, not the values: version, spec and its revision, variables one after
 * the other, aliases. Every length and count is held against the file's size before memory is taken. Throws `INVALID_MODEL_FOLDER`,
 * `UNSUPPORTED_MODEL`, what `read` throws.
 */
export async function readModelHeader(read: ReadBytes, fileBytes: number, place: FilePlace): Promise<ModelHeader> {
  const fields = new FileFields(read, fileBytes, place);
  await readVersion(fields, place);
  const spec = await readText(fields, 'spec name');
  const revision = await readInteger(fields, 'spec revision', 4);
  const count = await readCount(fields, 'variable count', 10);
  const variables: Variable[] = [];
  const names = new Set<string>();
  for (let index = 0; index < count; index++) {
    const name = await readText(fields, `name of variable ${index}`);
    if (names.has(name)) fields.refuse(`variable ${quote(name)}`, 'there twice', 'there once');
    names.add(name);
    variables.push(await readVariable(fields, name, place));
  }
  const aliases: (readonly [string, string])[] = [];
  const aliasCount = await readCount(fields, 'alias count', 6);
  for (let index = 0; index < aliasCount; index++) {
    const alias = await readText(fields, `name of alias ${index}`);
    const variable = await readText(fields, `variable of alias ${index}`);
    if (!names.has(variable)) fields.refuse(variable, 'missing', `there, since ${alias} is an alias of it`);
    aliases.push([alias, variable]);
  }
  fields.end('alias');
  return { spec, revision, variables, aliases };
}

async function readVersion(fields: FileFields, { folder, file }: FilePlace): Promise<void> {
  await fields.refuseForeign('a model of CTranslate2');
  const version = await readInteger(fields, 'version', 4);
  if (version === BINARY_VERSION) return;
  if (version === 1 && (await readInteger(fields, 'version', 4)) === 0) {
    throw unsupportedModel(
      `${file} in ${folder} is no model of CTranslate2: it begins as binary files do that are read with their vocabularies, such as vocab.deen.spm, beside them. Put those there, or fetch a folder that CTranslate2 has converted.`,
      { folder, file, field: 'version', received: '1, in 8 bytes', required: BINARY_VERSION },
    );
  }
  throw unsupportedModel(
    `${file} in ${folder}: version is ${version}, but ${BINARY_VERSION} is required. Convert the model again with CTranslate2 4.`,
    { folder, file, field: 'version', received: version, required: BINARY_VERSION },
  );
}

async function readInteger(fields: FileFields, field: string, bytes: 1 | 2 | 4): Promise<number> {
  const view = await fields.bytes(field, bytes);
  return bytes === 1 ? view.getUint8(0) : bytes === 2 ? view.getUint16(0, true) : view.getUint32(0, true);
}

const readCount = async (fields: FileFields, field: string, bytesEach: number): Promise<number> =>
  fields.count(field, await readInteger(fields, field, 4), bytesEach, MAX_VARIABLES);

async function readText(fields: FileFields, field: string): Promise<string> {
  const length = fields.nameLength(`${field} length`, await readInteger(fields, `${field} length`, 2));
  return fields.name(field, await fields.bytes(field, length));
}

async function readVariable(fields: FileFields, name: string, place: FilePlace): Promise<Variable> {
  const field = `variable ${quote(name)}`;
  const rank = fields.rank(`${field} rank`, await readInteger(fields, `${field} rank`, 1));
  const shape: number[] = [];
  for (let axis = 0; axis < rank; axis++) shape.push(await readInteger(fields, `${field} shape`, 4));
  const number = await readInteger(fields, `${field} type`, 1);
  const type = TYPES[number];
  if (type === undefined) return refuseType(field, number, place);
  const bytes = await readInteger(fields, `${field} bytes`, 4);
  // A product beyond 2^53 is inexact, but then far above any number of 32 bits.
  const needed = shape.reduce((product, size) => product * size, VARIABLE_BYTES[type]);
  if (bytes !== needed || bytes === 0) {
    fields.refuse(`${field} bytes`, bytes, `${needed}, for ${type} [${shape.join(', ')}], and not 0`);
  }
  return { name, type, shape, begin: fields.take(field, bytes), bytes };
}

function refuseType(field: string, number: number, { folder, file }: FilePlace): never {
  throw unsupportedModel(
    `${file} in ${folder}: ${field} has an element type of the number ${number}, which is not supported; supported: ${TYPES.join(', ')}. Convert the model again with one of them.`,
    { folder, file, field: `${field} type`, received: number, required: TYPES },
  );
}
