import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { ForetokenError } from '@foretoken/core';
import { openSessions } from '@foretoken/core/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadModel, openModelFolder } from '../src/index.js';
import { describeGraphFile } from '../src/onnx/graph-file.js';
import { describeOrtGraph } from '../src/onnx/ort-graph.js';
import { tabledPositions } from '../src/onnx/position-tables.js';
import { exportCopy, exportFolder } from './export-folders.js';
import { refusal } from './folder-fixtures.js';
import {
  type FlatTable,
  i64,
  i64s,
  ortFile,
  ortGraph,
  ortNode,
  ortTensor,
  shared,
  u32,
  vector,
} from './ort-fixtures.js';

const GOOD = new Uint8Array(await readFile(join(exportFolder('speech-ort'), 'decoder_model_merged.ort')));
const HUGE = 2n ** 62n;

/** A graph in an attribute of a graph, and so on. */
function nested(depth: number): FlatTable {
  return depth === 0 ? ortGraph() : ortGraph({ 2: [ortNode({ 10: [{ 0: 'body', 7: nested(depth - 1) }] })] });
}

describe("a graph in ONNX Runtime's own format", () => {
  it('is read: inputs without weights, outputs, types, operators of subgraphs too', () => {
    const branch = ortGraph({ 2: [ortNode({ 5: 'DynamicQuantizeLinear' })] });
    const lists = { 10: [{ 0: 'all', 11: [ortTensor()], 12: [branch] }] };
    const file = ortFile(
      ortGraph({ 2: [ortNode({ 10: [{ 0: 'value', 6: ortTensor() }] }), ortNode(lists)], 5: ['x', 'w'] }),
    );
    const { inputs, outputs, operators, externalLocations } = describeOrtGraph(file, 'g.ort');
    const pair = { type: 'float32', dims: [2] };
    expect([[...inputs], [...outputs]]).toEqual([[['x', pair]], [['y', pair]]]);
    expect([[...operators].sort(), externalLocations]).toEqual([['Add', 'DynamicQuantizeLinear'], []]);
    expect(describeOrtGraph(ortFile(nested(8)), 'g.ort').operators.has('Add')).toBe(true);
  });

  it('is read: the positions of its tables, whose values are no whole numbers', () => {
    const whole = (name: string, value: number) =>
      ortTensor({ 0: name, 2: i64s(), 3: u32(7), 4: vector(i64(value).scalar, 8) });
    const nodes = [
      ortNode({ 5: 'Shape', 8: ['x'], 9: ['sizes'], 10: [{ 0: 'start', 2: u32(2), 4: i64(0) }] }),
      ortNode({ 5: 'Constant', 8: [], 9: ['1'], 10: [{ 0: 'value', 6: whole('', 1) }] }),
      ortNode({ 5: 'Gather', 8: ['sizes', '1'], 9: ['length'] }),
      ortNode({ 2: 'ai.onnx', 5: 'Range', 8: ['0', 'length', '1'], 9: ['at'] }),
      ortNode({ 5: 'Gather', 8: ['places', 'at'], 9: ['y'] }),
    ];
    const places = (...dims: readonly number[]) =>
      ortTensor({ 0: 'places', 2: i64s(...dims), 4: vector(new Uint8Array(96), 96) });
    const positions = (table: FlatTable, inner = false) => {
      const graph = { 0: [ortTensor(), whole('0', 0), table], 2: nodes };
      const branch = ortNode({ 5: 'If', 10: [{ 0: 'then_branch', 7: ortGraph(graph) }] });
      const { parts } = describeOrtGraph(ortFile(ortGraph(inner ? { 2: [branch] } : graph)), 'g.ort');
      return tabledPositions(parts, { positions: [], axes: new Map([['x', [1]]]), masks: [] });
    };
    expect([positions(places(6, 4)), positions(places(6, 4), true), positions(places(24))]).toEqual([6, 6, undefined]);
  });

  it.each([
    ['is empty', new Uint8Array(), 'identifier'],
    ['has no identifier', ortFile(ortGraph(), 'ORTX'), 'identifier'],
    ['has no graph', ortFile({}).subarray(0, 12), 'the whole file'],
    ['says nothing of an input', ortFile(ortGraph({ 5: ['z'] })), 'graph.inputs: "z"'],
    ['says nothing of an output', ortFile(ortGraph({ 6: ['z'] })), 'graph.outputs: "z"'],
    ['asks for memory for nodes without end', ortFile(ortGraph({ 3: u32(4e9) })), 'graph.max_node_index'],
    ['has a node outside', ortFile(ortGraph({ 2: [ortNode({ 4: u32(7) })] })), 'graph.nodes[0]'],
    ['has an edge of a node outside', ortFile(ortGraph({ 4: [{ 0: u32(1) }] })), 'graph.node_edges[0]'],
    [
      'has an edge to a node outside',
      ortFile(ortGraph({ 4: [{ 0: u32(0), 2: vector(new Uint8Array(12).fill(9), 1) }] })),
      'graph.node_edges[0]',
    ],
    [
      'has fewer values than its shape',
      ortFile(ortGraph({ 0: [ortTensor({ 2: i64s(3) })] })),
      'graph.initializers[0].raw_data',
    ],
    [
      'has a gigantic shape',
      ortFile(ortGraph({ 0: [ortTensor({ 2: i64s(HUGE, HUGE) })] })),
      'graph.initializers[0].raw_data',
    ],
    [
      'has a shape below zero',
      ortFile(ortGraph({ 0: [ortTensor({ 2: i64s(-1, -2) })] })),
      'graph.initializers[0].raw_data',
    ],
    [
      'has fewer texts than its shape',
      ortFile(ortGraph({ 0: [ortTensor({ 3: u32(8), 5: ['a'] })] })),
      'graph.initializers[0].raw_data',
    ],
    [
      'has a list longer than itself',
      ortFile(ortGraph({ 0: [ortTensor({ 4: vector(new Uint8Array(8), 4e9) })] })),
      'graph.initializers[0]',
    ],
    [
      'has more dimensions than bytes',
      ortFile(ortGraph({ 0: [ortTensor({ 2: vector(new Uint8Array(8), 2e9) })] })),
      'graph.initializers[0]',
    ],
    [
      'has graphs in graphs without end',
      ortFile(nested(40)),
      expect.stringMatching(/graph\.nodes\[0\]\.attributes\[0\]/),
    ],
  ] as const)('that %s is refused, with the field', async (_, bytes, field) => {
    const error = await refusal(() => describeOrtGraph(bytes, 'g.ort'));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: 'g.ort', field } });
    expect(error.message).toMatch(/g\.ort.*(Fetch|convert)/);
  });

  it.each([
    ['of its weights', { 0: [ortTensor({ 6: i64(0) })] }],
    ['of an attribute', { 2: [ortNode({ 10: [{ 0: 'value', 6: ortTensor({ 6: i64(64) }) }] })] }],
    ['of a sparse weight', { 7: [{ 0: ortTensor({ 6: i64(8) }), 1: ortTensor() }] }],
    ['of a subgraph', { 2: [ortNode({ 10: [{ 0: 'b', 7: ortGraph({ 0: [ortTensor({ 6: i64(1) })] }) }] })] }],
  ])('whose values %s lie in another file is not supported', async (_, fields) => {
    const error = await refusal(() => describeOrtGraph(ortFile(ortGraph(fields)), 'g.ort'));
    expect(error.code).toBe('UNSUPPORTED_MODEL');
    expect(error.details).toMatchObject({ file: 'g.ort', field: expect.stringMatching(/external_data_offset$/) });
  });

  it('whose parts are used again and again takes no more work than a file of its size', async () => {
    // Each graph has two of the next, which is one: 2^14 graphs in a small file.
    let graph = shared(ortGraph());
    for (let depth = 0; depth < 14; depth++) {
      const attributes = [
        { 0: 'a', 7: graph },
        { 0: 'b', 7: graph },
      ];
      graph = shared(ortGraph({ 2: [ortNode({ 10: attributes })] }));
    }
    const attribute = { 0: 'a', 7: graph };
    const error = await refusal(() =>
      describeOrtGraph(ortFile(ortGraph({ 2: [ortNode({ 10: [attribute] })] })), 'g.ort'),
    );
    expect(error.message).toMatch(/again and again/);
    // A long list that all nodes have.
    const list = shared(Array.from({ length: 300 }, () => ({ 0: 'a' })));
    const nodes = Array.from({ length: 300 }, () => ortNode({ 10: list }));
    expect((await refusal(() => describeOrtGraph(ortFile(ortGraph({ 2: nodes })), 'g.ort'))).message).toMatch(/again/);
  });

  it('that ends early is refused, wherever that is', async () => {
    const small = ortFile();
    for (let length = 0; length < small.length; length++) {
      const error = await refusal(() => describeOrtGraph(small.subarray(0, length), 'g.ort'));
      expect(error.code, `${length} bytes`).toBe('INVALID_MODEL_FOLDER');
    }
    for (const share of [0.1, 0.5, 0.9]) {
      const error = await refusal(() => describeOrtGraph(GOOD.subarray(0, Math.floor(share * GOOD.length)), 'g.ort'));
      expect(error.code).toBe('INVALID_MODEL_FOLDER');
    }
  });

  it('that was changed anywhere is read or refused, never more', () => {
    const small = ortFile(nested(2));
    const places = (length: number) =>
      fc.array(fc.tuple(fc.nat(length - 1), fc.oneof(fc.constantFrom(0, 1, 127, 128, 255), fc.nat(255))), {
        minLength: 1,
        maxLength: 6,
      });
    const holds = (good: Uint8Array) => (changes: readonly (readonly [number, number])[]) => {
      const bytes = Uint8Array.from(good);
      for (const [at, value] of changes) bytes[at] = value;
      try {
        const { inputs, outputs, operators, parts } = describeOrtGraph(bytes, 'g.ort');
        // No more can come of a file than it holds.
        const held = parts.nodes.length + parts.tensors.size;
        expect(inputs.size + outputs.size + operators.size + held).toBeLessThan(good.length);
        const counted = {
          positions: ['input_ids'],
          axes: new Map([['input_ids', [1, -1]]]),
          masks: ['attention_mask'],
        };
        expect(tabledPositions(parts, counted) ?? 1).toBeGreaterThan(0);
      } catch (error) {
        if (!ForetokenError.isInstance(error)) throw error;
        expect(['INVALID_MODEL_FOLDER', 'UNSUPPORTED_MODEL']).toContain(error.code);
        expect(error.details).toMatchObject({ file: 'g.ort', field: expect.any(String) });
      }
    };
    fc.assert(fc.property(places(small.length), holds(small)), { seed: 15, numRuns: 4000 });
    fc.assert(fc.property(places(GOOD.length), holds(GOOD)), { seed: 16, numRuns: 150 });
  });
});

describe('a name that says another format than the file has', () => {
  it('is refused both ways, with what to do', async () => {
    const onnx = new Uint8Array(await readFile(join(exportFolder('speech'), 'encoder_model.onnx')));
    const error = await refusal(() => describeGraphFile(onnx, 'encoder_model.ort'));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { field: 'identifier', required: 'ORTM' } });
    expect(error.message).toMatch(/name end in \.onnx/);
    const other = await refusal(() => describeGraphFile(GOOD, 'decoder.onnx'));
    expect(other).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: 'decoder.onnx' } });
    expect(other.message).toMatch(/name that ends in \.ort/);
  });

  it('is refused by folders too, before the runtime sees the file', async () => {
    const folder = await exportCopy('speech-ort');
    await rename(join(folder, 'encoder_model.ort'), join(folder, 'encoder_model.onnx'));
    await rename(join(folder, 'decoder_model_merged.ort'), join(folder, 'decoder_model_merged.onnx'));
    for (const open of [() => openModelFolder(folder), () => loadModel(folder, { probe: false })]) {
      expect((await refusal(open)).message).toMatch(/name that ends in \.ort/);
    }
    expect(openSessions()).toBe(0);
  });
});
