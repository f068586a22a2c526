import type { ModelBin } from '../open-model-bin.js';
import { layerCount } from './decoder-heads.js';
import type { SpecVariables } from './spec-variables.js';

/** Variables of the whole decoder that say how it is computed, or what is computed besides. */
const SETTINGS =
  /^decoder\/(?:num_heads|activation|alibi|alibi_use_positive_positions|scale_alibi|alignment_heads|alignment_layer|pre_norm|scale_embeddings|scale_outputs|start_from_zero_embedding|final_logit_softcapping|sliding_window)$/;
const SCALE = /\/weight_scale$/;

type Names = Readonly<Record<string, readonly string[]>>;

/** What each layer of a decoder has, by its name without the layer. */
export interface LayerParts {
  /** Its tensors, and what transformers calls them, with `*` for the layer. */
  readonly tensors: Names;
  /** What says how the layer is computed. */
  readonly settings: readonly string[];
}

/** Weights and biases of linear layers. */
export function partsOf(linears: Names): Names {
  return Object.fromEntries(
    Object.entries(linears).flatMap(([name, own]) =>
      ['weight', 'bias'].map((part) => [`${name}/${part}`, own.map((tensor) => `${tensor}.${part}`)]),
    ),
  );
}

/** Factors of norms, and what they add, where they add something. */
export function normParts(norms: Readonly<Record<string, string>>, adds = true): Names {
  return Object.fromEntries(
    Object.entries(norms).flatMap(([name, own]) => [
      [`${name}/gamma`, [`${own}.weight`]],
      ...(adds ? [[`${name}/beta`, [`${own}.bias`]]] : []),
    ]),
  );
}

/**
 * What transformers calls the tensors of a variable, by the parts that are in no layer and those of each; none for one that is no
 * tensor. Throws `UNSUPPORTED_MODEL` for a variable that nothing here reads, which would change what is computed;
 * `INVALID_MODEL_FOLDER` for one of a layer behind the last.
 */
export function namesOf(
  name: string,
  layers: number,
  outside: Readonly<Record<string, string>>,
  { tensors, settings }: LayerParts,
  { find, refuseUnknown }: SpecVariables,
): readonly string[] {
  if (SETTINGS.test(name)) return [];
  const isScale = SCALE.test(name);
  const whole = isScale ? name.replace(SCALE, '/weight') : name;
  if (Object.hasOwn(outside, whole)) return isScale ? [] : [outside[whole]];
  const [, layer, part = ''] = /^decoder\/layer_(0|[1-9]\d{0,2})\/(.+)$/.exec(whole) ?? [];
  // Layers are counted by this variable of theirs.
  if (layer !== undefined && Number(layer) >= layers) find(`decoder/layer_${layer}/ffn/linear_0/weight`, 2);
  if (layer !== undefined) {
    if (settings.includes(name.slice(`decoder/layer_${layer}/`.length))) return [];
    if (Object.hasOwn(tensors, part)) return isScale ? [] : tensors[part].map((own) => own.replace('*', layer));
  }
  return refuseUnknown(name);
}

/** Layers of a decoder all of whose variables have names by `namesOf`. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`. */
export function namedLayers(
  { variables: all }: ModelBin,
  outside: Readonly<Record<string, string>>,
  parts: LayerParts,
  variables: SpecVariables,
): number {
  const layers = layerCount(variables);
  for (const name of all.keys()) namesOf(name, layers, outside, parts, variables);
  return layers;
}

/** What a file calls a tensor that transformers gives this name; undefined for one that it does not have. */
export function variableOf(
  tensor: string,
  outside: Readonly<Record<string, string>>,
  { tensors }: LayerParts,
): string | undefined {
  const layer = /\.(\d+)\./.exec(tensor)?.[1] ?? '';
  const isIt = (own: string): boolean => own.replace('*', layer) === tensor;
  const [whole] = Object.entries(outside).find(([, own]) => own === tensor) ?? [];
  const [part] = Object.entries(tensors).find(([, own]) => own.some(isIt)) ?? [];
  return whole ?? (part === undefined ? undefined : `decoder/layer_${layer}/${part}`);
}
