import { posix } from 'node:path';
import { hasMethods, text as readText, wrongValue } from '@foretoken/core/kit';
import { ELEMENT_TYPE, type ModelFolder, toFloat32 } from '@foretoken/models/internal';
import type { Dense } from '../tensors/matrices.js';
import { decodeGraph } from './proto.js';

interface Initializer {
  readonly name: string;
  readonly dims: readonly number[];
  readonly dataType: number;
  readonly externalData: readonly { readonly key: string; readonly value: string }[];
}

/** The fp32 values of a graph's external weights but 8-bit ones, by name: to inspect a model, or to build other graphs of it. */
export async function readGraphWeights(folder: ModelFolder, file: string): Promise<Map<string, Dense>> {
  if (!hasMethods(folder, 'readBytes')) throw wrongValue('folder', folder, 'an open model folder');
  readText('file', file);
  const model = (await decodeGraph(folder, file)) as {
    readonly graph: { readonly initializer: readonly Initializer[] };
  };
  const weights = new Map<string, Dense>();
  const data = new Map<string, Uint8Array>();
  for (const { name, dims, dataType, externalData } of model.graph.initializer) {
    const field = (key: string): string | undefined => externalData.find((entry) => entry.key === key)?.value;
    const location = field('location');
    if (location === undefined || (dataType !== ELEMENT_TYPE.float16 && dataType !== ELEMENT_TYPE.float32)) continue;
    const content = data.get(location) ?? (await folder.readBytes(posix.join(posix.dirname(file), location)));
    data.set(location, content);
    const offset = Number(field('offset') ?? 0);
    const bytes = content.subarray(offset, offset + Number(field('length')));
    const dtype = dataType === ELEMENT_TYPE.float16 ? 'F16' : 'F32';
    weights.set(name.replace(/\.fp16$/, ''), { dims, values: toFloat32({ dtype, shape: dims, data: bytes }) });
  }
  return weights;
}
