import { ForetokenError } from '@foretoken/core';
import * as kit from '@foretoken/core/kit';
import * as runtime from '@foretoken/core/runtime';
import { randomScriptedModel } from '@foretoken/testkit';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { SOURCES, textOf } from './source-files.js';

/** Types of arguments whose fields are told apart by their names. */
const NAMED = /(Options|Request|Limits|Settings|Rules|Conditions|Strings|Support)(<.*>)?$/;
const FOLDER = /^packages\/core\/src\/(kit|runtime|tensor)\//;

/** Exported functions, constructors and methods that take such an argument, as `name: type`. */
const TAKERS: readonly string[] = SOURCES.filter((file) => FOLDER.test(file)).flatMap((file) => {
  const { statements } = ts.createSourceFile(file, textOf(file), ts.ScriptTarget.Latest, true);
  return statements.flatMap((statement): string[] => {
    if (ts.isFunctionDeclaration(statement)) return takes(statement.name?.text ?? '', statement);
    if (ts.isVariableStatement(statement)) {
      return statement.declarationList.declarations.flatMap(({ name, initializer }) =>
        initializer !== undefined && ts.isArrowFunction(initializer) ? takes(name.getText(), initializer) : [],
      );
    }
    if (!ts.isClassDeclaration(statement)) return [];
    return statement.members.flatMap((member) => {
      if (!ts.isConstructorDeclaration(member) && !ts.isMethodDeclaration(member)) return [];
      const method = member.name?.getText() ?? 'constructor';
      return method.startsWith('#') ? [] : takes(`${statement.name?.text}.${method}`, member);
    });
  });
});

function takes(name: string, { parameters }: ts.SignatureDeclarationBase): string[] {
  const exported = name.split('.')[0];
  if (!(exported in kit) && !(exported in runtime)) return [];
  const types = parameters.map(({ type }) => type?.getText() ?? '').filter((type) => NAMED.test(type));
  return types.map((type) => `${name}: ${type.replace(/<.*/, '')}`);
}

const SOURCE = Int32Array.of(1, 2);
const model = randomScriptedModel({ seed: 1, vocabularySize: 6 });
const decoder = {
  name: 'mine',
  requires: { model: 'autoregressive', outputs: ['argmax'], branching: false, rollback: false },
} as const;
const driver = { run() {}, paddedWidth() {}, releaseRow() {}, dispose() {} };
const store = { extend() {}, compact() {}, admit() {}, release() {}, dispose() {} };
const forest = {
  store,
  prefixes: [SOURCE],
  vocabularySize: 6,
  maxLength: 8,
  supports: { outputs: ['argmax'], branching: true, rollback: true, rows: 8, maxCandidates: 0 },
};
const onnxRuntime = { InferenceSession: { create() {} }, Tensor: class {} };
const graph = { path: 'step.onnx', graph: new Uint8Array(4) };

/** Calls with right options and one more, and an option that is near to it in name. */
type Call = readonly [misspelt: string, meant: string, call: (more: Readonly<Record<string, unknown>>) => unknown];

const CALLS: Readonly<Record<string, Call>> = {
  'forestOptions: ForestOptions': ['sharng', 'sharing', (more) => kit.forestOptions(more)],
  'joinOptions: OpenOptions': ['encodin', 'encoding', (more) => kit.joinOptions(more)],
  'canvasOptions: CanvasOpenOptions': ['hint', 'hints', (more) => kit.canvasOptions(more)],
  'emitOptions: EmitOptions': ['signl', 'signal', (more) => kit.emitOptions(more)],
  'assertRequest: DecodeRequest': [
    'maxNewTokns',
    'maxNewTokens',
    (more) => kit.assertRequest({ sources: [SOURCE], ...more }),
  ],
  'assertDecode: DecodeRequest': [
    'minNewToken',
    'minNewTokens',
    (more) => kit.assertDecode(decoder, model, { sources: [SOURCE], ...more }),
  ],
  'assertRuledDecode: DecodeRequest': [
    'sead',
    'seed',
    (more) => kit.assertRuledDecode(decoder, model, { sources: [SOURCE], ...more }, {}),
  ],
  'assertOffered: OutputRequest': [
    'stats',
    'states',
    (more) => kit.assertOffered(model.supports, { kind: 'argmax', ...more }),
  ],
  'assertTokenSources: TokenSourceLimits': [
    'vocabularysise',
    'vocabularySize',
    (more) => kit.assertTokenSources([SOURCE], more),
  ],
  'KeyValueStore.constructor: KeyValueStoreOptions': [
    'partwidht',
    'partWidth',
    (more) => Reflect.construct(runtime.KeyValueStore, [{ driver, rows: 1, parts: 1, partWidth: 1, ...more }]),
  ],
  'GraphSession.create: GraphSessionOptions': [
    'optimisation',
    'optimization',
    (more) =>
      Reflect.apply(runtime.GraphSession.create, runtime.GraphSession, [
        onnxRuntime,
        graph,
        { threads: 1, ...more },
        new runtime.RuntimeTimings(),
      ]),
  ],
  'StoreForest.constructor: StoreForestOptions': [
    'maxCell',
    'maxCells',
    (more) => Reflect.construct(runtime.StoreForest, [{ ...forest, ...more }]),
  ],
  'StoreForest.open: StoreForestOptions': [
    'sharin',
    'sharing',
    (more) => Reflect.apply(runtime.StoreForest.open, runtime.StoreForest, [{ ...forest, ...more }]),
  ],
};

/**
 * What is given what one of the above has checked: requests by `assertRequest`, outputs by the forest before its store is asked, rules
 * and lengths as they are read by tables that decoders spread into their own, `SCORE_RULES` and `LENGTH_OPTIONS`; and what hands them on
 * at once.
 */
const CHECKED_BEFORE: readonly string[] = [
  'assertLengthOptions: LengthOptions',
  'assertCanvasRequest: LengthOptions',
  'assertCanvasRequest: DecodeRequest',
  'canvasLengths: LengthOptions',
  'canvasLengths: DecodeRequest',
  'refuseEncoding: OpenOptions',
  'checkOptions: Options',
  'OutputBounds.constructor: StopConditions',
  'assertAccepted: DecodeRequest',
  'RowOutput.constructor: StopConditions',
  'givenTokens: DecodeRequest',
  'startOutput: DecodeRequest',
  'assertOutputPrefixes: DecodeRequest',
  'assertRuledDecode: ScoreRules',
  'commonLimit: DecodeRequest',
  'mayRaise: ScoreRules',
  'compileRules: ScoreRules',
  'compileRules: Pick',
  'hasRules: ScoreRules',
  'assertRows: AutoregressiveSupport',
  'KeyValueStore.extend: OutputRequest',
  'PathStore.extend: OutputRequest',
  'RecurrentStore.extend: OutputRequest',
  'scoredLogits: OutputRequest',
  'scoredLogitsInTurns: OutputRequest',
  'forestOptions: StoreForestOptions',
  'StoreForest.extend: OutputRequest',
  'StoreForest.join: OpenOptions',
];

describe('options of authors', () => {
  it('are taken by functions that are all tried below, or get what those have checked', () => {
    expect(TAKERS.filter((one) => !(one in CALLS) && !CHECKED_BEFORE.includes(one))).toEqual([]);
    expect([...Object.keys(CALLS), ...CHECKED_BEFORE].filter((one) => !TAKERS.includes(one))).toEqual([]);
  });

  it.each(Object.entries(CALLS))('%s names the option that was meant', async (_, [misspelt, meant, call]) => {
    const error: unknown = await (async () => call({ [misspelt]: undefined }))().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(ForetokenError);
    expect(error).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(`Did you mean ${meant}?`),
    });
  });
});
