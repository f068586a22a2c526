import { invalidFolder } from '../../folder/refusal.js';
import type { ExportGraph, OnnxExportManifest } from './export-manifest.js';
import { type CacheRole, type DecoderRoles, decoderRoles, type EncoderRoles, encoderRoles } from './export-roles.js';
import { show, unsupported } from './refuse-roles.js';

/** The roles of a graph that goes on with a cache, and of that which begins, where it is another. Throws `UNSUPPORTED_MODEL`. */
export function stepRoles({ graphs: { encoder, decoder, decoderWithPast } }: Pick<OnnxExportManifest, 'graphs'>): {
  readonly begin: DecoderRoles;
  readonly goOn: DecoderRoles;
} {
  const given = encoder && encoderRoles(encoder);
  const begin = fromEncoder(decoderRoles(decoder), given);
  const goOn = decoderWithPast === undefined ? begin : fromEncoder(decoderRoles(decoderWithPast), given);
  if (!goOn.caches.some(({ cross }) => !cross)) {
    throw unsupported(
      goOn.file,
      'input',
      'past_key_values.0.key',
      undefined,
      'a cache',
      'Export the model with a cache, for example with the task text2text-generation-with-past or text-generation-with-past.',
    );
  }
  const ofSources = begin.states ?? goOn.states ?? goOn.caches.find(({ cross }) => cross)?.input;
  if (encoder === undefined && ofSources !== undefined) {
    throw invalidFolder(
      `${goOn.file} reads sources by its input ${ofSources}, but there is no encoder in its precision beside it. Fetch encoder_model.onnx of the same model, or choose another precision.`,
      { file: goOn.file, field: `input ${ofSources}`, received: 'no encoder', required: 'encoder_model.onnx' },
    );
  }
  if (encoder !== undefined && given !== undefined) {
    for (const roles of [begin, goOn]) {
      const graph = roles === begin ? decoder : (decoderWithPast ?? decoder);
      if (roles.states !== undefined)
        assertSame([encoder, 'output', given.states], [graph, 'input', roles.states], [2]);
    }
  }
  for (const { input, output, present, encoded, cross } of goOn.caches) {
    if (output === undefined && !cross)
      throw unsupported(goOn.file, 'output', present, undefined, `what ${input} has become`);
    if (encoder !== undefined && encoded !== undefined) {
      assertSame([encoder, 'output', encoded], [decoderWithPast ?? decoder, 'input', input], [1, 2, 3]);
      continue;
    }
    if (output === undefined && begin === goOn) {
      throw unsupported(
        encoder?.file ?? begin.file,
        'output',
        present,
        undefined,
        `what ${goOn.file} takes as ${input}`,
      );
    }
    if (begin !== goOn && !Object.hasOwn(decoder.outputs, present)) {
      throw unsupported(begin.file, 'output', present, undefined, `what ${goOn.file} takes as ${input}`);
    }
    if (decoderWithPast !== undefined)
      assertSame([decoder, 'output', present], [decoderWithPast, 'input', input], [1, 3]);
  }
  return { begin, goOn };
}

/** A decoder's roles, with what of its cache an encoder gives. */
function fromEncoder(roles: DecoderRoles, encoder: EncoderRoles | undefined): DecoderRoles {
  const caches = roles.caches.map((role): CacheRole => {
    const encoded = role.cross && role.output === undefined ? encoder?.caches.get(role.present) : undefined;
    return { ...role, encoded };
  });
  return { ...roles, caches };
}

type Side = readonly [graph: ExportGraph, side: 'input' | 'output', name: string];

/** Refuses a graph that takes other sizes, on some axes, than the graph before it gives. Throws `INVALID_MODEL_FOLDER`. */
function assertSame(given: Side, taken: Side, axes: readonly number[]): void {
  const [from, to] = [given, taken].map(([graph, side, name]) => graph[`${side}s`][name]);
  const sizes = axes.map((axis) => [from.dims[axis], to.dims[axis]]);
  if (sizes.every(([size, other]) => size === null || other === null || size === other)) return;
  const [received, required] = [show(to), show(from)];
  throw invalidFolder(
    `${taken[0].file} takes ${taken[2]} as ${received}, but ${given[0].file} gives ${given[2]} as ${required}: they are of different models. Fetch graphs of one model.`,
    { file: taken[0].file, field: `input ${taken[2]}`, received, required },
  );
}
