import { append } from '@foretoken/core/kit';
import { ELEMENT_TYPE } from '@foretoken/models/internal';
import protobuf from 'protobufjs/light.js';
import { ATTRIBUTE_TYPE, ModelProto } from '../graphs/proto.js';

/** Name of the output that is added. */
export const EXPOSED = 'foretoken_scores';

const BYTES = 2;
/** Fields of onnx.proto3 (ONNX, Apache-2.0). */
const GRAPH = 7;
const NODE = 1;
const INITIALIZER = 5;
const OUTPUT = 12;

/**
 * A serialised model with a value of its inside as a further output, as float32 `[rows, size]`: steps that give only the best token hold
 * their scores so. What else the model holds stays byte for byte.
 */
export function exposeScores(model: Uint8Array, value: string, size: number): Uint8Array {
  const reader = protobuf.Reader.create(model);
  const parts: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const begin = reader.pos;
    const tag = reader.uint32();
    if (tag === ((GRAPH << 3) | BYTES)) {
      const added = additions(value, size);
      const graph = reader.bytes();
      const length = added.reduce((sum, part) => sum + part.length, graph.length);
      append(parts, [protobuf.Writer.create().uint32(tag).uint32(length).finish(), graph, ...added]);
    } else {
      reader.skipType(tag & 7);
      parts.push(model.subarray(begin, reader.pos));
    }
  }
  return Uint8Array.from(Buffer.concat(parts));
}

/** Fields of the graph that follow those it has. */
function additions(value: string, size: number): readonly Uint8Array[] {
  const field = (number: number, type: string, content: object): Uint8Array => {
    const message = ModelProto.root.lookupType(type);
    const bytes = message.encode(message.fromObject(content)).finish();
    return protobuf.Writer.create()
      .uint32((number << 3) | BYTES)
      .bytes(bytes)
      .finish();
  };
  const [shape, floats] = [`${EXPOSED}_shape`, `${EXPOSED}_float`];
  const to = { name: 'to', type: ATTRIBUTE_TYPE.int, i: ELEMENT_TYPE.float32 };
  const dim = [{ dimParam: 'rows' }, { dimValue: size }];
  const rawData = new Uint8Array(BigInt64Array.of(-1n, BigInt(size)).buffer);
  return [
    field(INITIALIZER, 'TensorProto', { name: shape, dims: [2], dataType: ELEMENT_TYPE.int64, rawData }),
    field(NODE, 'NodeProto', { opType: 'Cast', name: floats, input: [value], output: [floats], attribute: [to] }),
    field(NODE, 'NodeProto', { opType: 'Reshape', name: EXPOSED, input: [floats, shape], output: [EXPOSED] }),
    field(OUTPUT, 'ValueInfoProto', {
      name: EXPOSED,
      type: { tensorType: { elemType: ELEMENT_TYPE.float32, shape: { dim } } },
    }),
  ];
}
