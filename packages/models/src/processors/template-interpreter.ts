import { Interpreter } from '@huggingface/jinja';
import { textMethod } from './template-text.js';

// Published templates take some hundred steps a message.
const MAX_STEPS = 2_000_000;
const MAX_TEXT = 4_000_000;

/** A value of a template. */
interface TemplateValue {
  readonly type?: unknown;
  readonly value: unknown;
}

/** What is used of an interpreter: the library's types import files by names without extensions, which are not found. */
interface TemplateInterpreter {
  evaluate(node: unknown, environment: unknown): TemplateValue;
  run(program: unknown): TemplateValue;
}
const BaseInterpreter = Interpreter as unknown as new (environment: unknown) => TemplateInterpreter;

/** What is read of a node of a parsed template. */
type TemplateNode = Readonly<Record<string, unknown>>;

/** A call of a method, or a filter: `text.strip('\\n')`, `text | trim`. */
interface Called {
  readonly name: unknown;
  readonly object: unknown;
  readonly args: readonly unknown[];
}

/** Counts what a template does, and does with texts what Python does where the library does something else. */
export class CountingInterpreter extends BaseInterpreter {
  #steps = 0;

  override evaluate(node: unknown, environment: unknown): TemplateValue {
    if (++this.#steps > MAX_STEPS) throw new RangeError(`it takes more than ${MAX_STEPS} steps`);
    const value = this.#onText(Object(node), environment) ?? super.evaluate(node, environment);
    if (typeof value.value === 'string' && value.value.length > MAX_TEXT) {
      throw new RangeError(`it makes a text of more than ${MAX_TEXT} characters`);
    }
    return value;
  }

  /** What Python's method gives; undefined where the node calls none of them on a text. */
  #onText(node: TemplateNode, environment: unknown): TemplateValue | undefined {
    const called = methodOf(node) ?? filterOf(node);
    const method = called === undefined ? undefined : textMethod(String(called.name));
    if (called === undefined || method === undefined) return undefined;
    const object = this.evaluate(called.object, environment);
    if (object.type !== 'StringValue') return undefined;
    const args = called.args.map((one) => this.evaluate(one, environment).value);
    // The library does not export the class of its texts.
    const Text = object.constructor as new (value: string) => TemplateValue;
    return new Text(method(String(object.value), args));
  }
}

function methodOf({ type, callee, args }: TemplateNode): Called | undefined {
  const { type: kind, object, property, computed } = Object(callee);
  if (type !== 'CallExpression' || kind !== 'MemberExpression' || computed === true) return undefined;
  return { name: property.value, object, args: args as readonly unknown[] };
}

/** Filters that are methods of Python's texts; others of the same names are not. */
const FILTERS: ReadonlySet<unknown> = new Set(['trim', 'capitalize']);

function filterOf({ type, operand, filter }: TemplateNode): Called | undefined {
  if (type !== 'FilterExpression') return undefined;
  const { value, callee = { value }, args = [] } = Object(filter);
  return FILTERS.has(callee.value) ? { name: callee.value, object: operand, args } : undefined;
}
