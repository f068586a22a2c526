import { type FieldOrigin, type FilePlace, invalidFolder, quote, unsupportedModel } from '@foretoken/models/internal';
import type { StoredTensor } from '../../stored-tensor.js';
import type { Variable } from '../model-header.js';
import type { ModelBin } from '../open-model-bin.js';

/** What to do about models that no graph here computes. */
const EXPORT = 'Export the original to ONNX with Optimum, and load that as it is.';

/** What variables say fields of which each side has its own, such as `encoder_layers`. */
export function originsOfSides(variables: Readonly<Record<string, string>>): Readonly<Record<string, FieldOrigin>> {
  const sides = ['encoder', 'decoder'].flatMap((side) =>
    Object.entries(variables).map(([name, field]) => [`${side}_${name}`, { field: `${side}/${field}` }] as const),
  );
  return Object.fromEntries(sides);
}

/** Looks variables up that say how a model is computed. */
export interface SpecVariables {
  /** A variable of so many dimensions. Throws `INVALID_MODEL_FOLDER`. */
  find(name: string, rank: number): Variable;
  /** A single number, or what it is where the file leaves it out. Throws `INVALID_MODEL_FOLDER` for one that must be there. */
  scalar(name: string, otherwise?: number): Promise<number>;
  /** Layers of a side, which is at least one. */
  layersOf(side: string): number;
  /** Throws `INVALID_MODEL_FOLDER`: a variable is not what it must be. */
  refuse(name: string, received: unknown, required: string): never;
  /** Throws `UNSUPPORTED_MODEL`: a variable says what no graph here does. */
  unsupported(name: string, received: unknown, required: string): never;
  /** Throws `UNSUPPORTED_MODEL`: a variable says what no graph here does, of weights in any format. */
  notComputed(name: string, received: unknown, required: string): never;
  /** Throws `UNSUPPORTED_MODEL`: there is a variable that nothing here reads, which would change what is computed. */
  refuseUnknown(name: string): never;
}

export function specVariables(place: FilePlace, file: ModelBin): SpecVariables {
  const { folder } = place;
  const refuse = (name: string, received: unknown, required: string): never => {
    throw invalidFolder(
      `${place.file} in ${folder}: ${name} is ${received === undefined ? 'missing' : quote(received)}, but it must be ${required}. Fetch or convert the model again.`,
      { ...place, field: name, received, required },
    );
  };
  const find = (name: string, rank: number): Variable => {
    const variable = file.variables.get(name);
    if (variable?.shape.length === rank) return variable;
    return refuse(name, variable?.shape, `a variable of ${rank} dimensions`);
  };
  return {
    find,
    scalar: async (name, otherwise) =>
      otherwise !== undefined && !file.variables.has(name) ? otherwise : file.scalar(find(name, 0)),
    layersOf: (side) => {
      let layers = 0;
      while (file.variables.has(`${side}/layer_${layers}/ffn/linear_0/weight`)) layers++;
      return layers;
    },
    refuse,
    unsupported: (name, received, required) => {
      throw unsupportedModel(
        `${place.file} in ${folder}: ${name} is ${received === undefined ? 'missing' : quote(received)}, which is not supported; ${required} is required. Import the weights that it was converted from.`,
        { ...place, field: name, received, required },
      );
    },
    notComputed: (name, received, required) => {
      throw unsupportedModel(
        `${place.file} in ${folder}: ${name} is ${quote(received)}, which no model that is imported here computes, in any format; ${required} is required. ${EXPORT}`,
        { ...place, field: name, received, required },
      );
    },
    refuseUnknown: (name) => {
      throw unsupportedModel(
        `${place.file} in ${folder} has a variable ${quote(name)}, which is not supported: no model that is imported here has it. ${EXPORT}`,
        { ...place, field: `variable ${name}`, received: 'there', required: 'a model without it' },
      );
    },
  };
}

/**
 * Sets the parts of a variable, one above the other, by their names: of like many rows each, or of as many as `sizes` says. Throws
 * `INVALID_MODEL_FOLDER`.
 */
export function setParts(
  tensors: Map<string, StoredTensor>,
  place: FilePlace,
  file: ModelBin,
  name: string,
  parts: readonly string[],
  sizes?: readonly number[],
): void {
  const variable = file.variables.get(name);
  if (parts.length === 0 || variable === undefined) return;
  const [rows = 0] = variable.shape;
  const total = sizes?.reduce((sum, size) => sum + size, 0) ?? rows;
  if (rows === 0 || total !== rows || (sizes === undefined && rows % parts.length !== 0)) {
    const required = sizes === undefined ? `a multiple of ${parts.length}` : String(total);
    specVariables(place, file).refuse(name, variable.shape, `of ${required} rows`);
  }
  let first = 0;
  for (const [index, part] of parts.entries()) {
    const own = sizes?.[index] ?? rows / parts.length;
    tensors.set(part, { ...file.rows(variable, first, own), ownName: name });
    first += own;
  }
}
