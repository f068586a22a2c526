import { invalidFolder, type ModelFolder, reason } from '@foretoken/models/internal';
import protobuf from 'protobufjs/light.js';

/** `AttributeProto.AttributeType`. */
export const ATTRIBUTE_TYPE = { float: 1, int: 2, string: 3, graph: 5, ints: 7, strings: 8 } as const;

const field = (type: string, id: number, rule?: 'repeated'): protobuf.IField =>
  rule === undefined ? { type, id } : { type, id, rule };

// The part of onnx.proto3 (ONNX, Apache-2.0) that the graphs built here need, by field number. Decoding skips what is not listed,
// so what a stranger's graph may hold is read by `wireFields`.
const DESCRIPTOR: protobuf.INamespace = {
  nested: {
    StringStringEntryProto: { fields: { key: field('string', 1), value: field('string', 2) } },
    OperatorSetIdProto: { fields: { domain: field('string', 1), version: field('int64', 2) } },
    TensorProto: {
      fields: {
        dims: field('int64', 1, 'repeated'),
        dataType: field('int32', 2),
        name: field('string', 8),
        rawData: field('bytes', 9),
        externalData: field('StringStringEntryProto', 13, 'repeated'),
        dataLocation: field('int32', 14),
      },
    },
    Dimension: { fields: { dimValue: field('int64', 1), dimParam: field('string', 2) } },
    TensorShapeProto: { fields: { dim: field('Dimension', 1, 'repeated') } },
    TypeProtoTensor: { fields: { elemType: field('int32', 1), shape: field('TensorShapeProto', 2) } },
    TypeProto: { fields: { tensorType: field('TypeProtoTensor', 1) } },
    ValueInfoProto: { fields: { name: field('string', 1), type: field('TypeProto', 2) } },
    AttributeProto: {
      fields: {
        name: field('string', 1),
        f: field('float', 2),
        i: field('int64', 3),
        s: field('bytes', 4),
        t: field('TensorProto', 5),
        g: field('GraphProto', 6),
        ints: field('int64', 8, 'repeated'),
        strings: field('bytes', 9, 'repeated'),
        tensors: field('TensorProto', 10, 'repeated'),
        graphs: field('GraphProto', 11, 'repeated'),
        type: field('int32', 20),
      },
    },
    NodeProto: {
      fields: {
        input: field('string', 1, 'repeated'),
        output: field('string', 2, 'repeated'),
        name: field('string', 3),
        opType: field('string', 4),
        attribute: field('AttributeProto', 5, 'repeated'),
        domain: field('string', 7),
      },
    },
    GraphProto: {
      fields: {
        node: field('NodeProto', 1, 'repeated'),
        name: field('string', 2),
        initializer: field('TensorProto', 5, 'repeated'),
        input: field('ValueInfoProto', 11, 'repeated'),
        output: field('ValueInfoProto', 12, 'repeated'),
      },
    },
    ModelProto: {
      fields: {
        irVersion: field('int64', 1),
        opsetImport: field('OperatorSetIdProto', 8, 'repeated'),
        producerName: field('string', 2),
        graph: field('GraphProto', 7),
      },
    },
  },
};

export const ModelProto: protobuf.Type = protobuf.Root.fromJSON(DESCRIPTOR).lookupType('ModelProto');

/**
 * A graph of a model folder as an object, with numbers for all integers. Throws `INVALID_MODEL_FOLDER` for names that are no text and the like, which opening
 * the folder does not read; what reading it throws.
 */
export async function decodeGraph(folder: ModelFolder, file: string): Promise<Record<string, unknown>> {
  const bytes = await folder.readBytes(file);
  try {
    return ModelProto.toObject(ModelProto.decode(bytes), { longs: Number, arrays: true, defaults: true });
  } catch (cause) {
    throw invalidFolder(
      `${file} in ${folder.path} is not an ONNX graph that can be read: ${reason(cause)}. Fetch or export it again.`,
      { folder: folder.path, file, field: 'the whole file', required: 'ONNX' },
      cause,
    );
  }
}
