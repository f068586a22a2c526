import { Interpreter } from '@huggingface/jinja';
import { printedValue, type TemplateValue } from './printed-value.js';
import { TITLE_FILTER, textMethod } from './template-text.js';

// Published templates take some hundred steps a message.
const MAX_STEPS = 2_000_000;
const MAX_TEXT = 4_000_000;

/** What is used of an interpreter: the library's types import files by names without extensions, which are not found. */
interface TemplateInterpreter {
  evaluate(node: unknown, environment: unknown): TemplateValue;
  run(program: unknown): TemplateValue;
  evaluateBlock(statements: readonly unknown[], environment: unknown): TemplateValue;
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

/** Statements that write nothing themselves; all else is written as what it gives. */
const SILENT: ReadonlySet<unknown> = new Set(['Set', 'Macro', 'Comment', 'Break', 'Continue']);
const EMPTY = { type: 'StringLiteral', value: '' };

/** Counts what a template does, and does with texts what Python does where the library does something else. */
export class CountingInterpreter extends BaseInterpreter {
  #steps = 0;

  override evaluate(node: unknown, environment: unknown): TemplateValue {
    if (++this.#steps > MAX_STEPS) throw new RangeError(`it takes more than ${MAX_STEPS} steps`);
    const value =
      this.#onText(Object(node), environment) ??
      this.#joined(Object(node), environment) ??
      super.evaluate(node, environment);
    if (typeof value.value === 'string' && value.value.length > MAX_TEXT) {
      throw new RangeError(`it makes a text of more than ${MAX_TEXT} characters`);
    }
    return value;
  }

  /** The library writes values as JavaScript does, and leaves `none` out. */
  override evaluateBlock(statements: readonly unknown[], environment: unknown): TemplateValue {
    let text = '';
    for (const statement of statements) {
      const value = this.evaluate(statement, environment);
      if (!SILENT.has(Object(statement).type)) text += printedValue(value);
    }
    return this.#text(text, environment);
  }

  /** `a ~ b`; undefined for another node. */
  #joined({ type, operator, left, right }: TemplateNode, environment: unknown): TemplateValue | undefined {
    if (type !== 'BinaryExpression' || Object(operator).value !== '~') return undefined;
    const parts = [left, right].map((side) => printedValue(this.evaluate(side, environment)));
    return this.#text(parts.join(''), environment);
  }

  /** The library does not export the class of its texts. */
  #text(text: string, environment: unknown): TemplateValue {
    const Text = super.evaluate(EMPTY, environment).constructor as new (value: string) => TemplateValue;
    return new Text(text);
  }

  /** What Python's method gives; undefined where the node calls none of them on a text. */
  #onText(node: TemplateNode, environment: unknown): TemplateValue | undefined {
    const called = methodOf(node) ?? filterOf(node);
    const method = called === undefined ? undefined : textMethod(String(called.name));
    if (called === undefined || method === undefined) return undefined;
    const object = this.evaluate(called.object, environment);
    if (object.type !== 'StringValue') return undefined;
    const args = called.args.map((one) => this.evaluate(one, environment).value);
    return this.#text(method(String(object.value), args), environment);
  }
}

function methodOf({ type, callee, args }: TemplateNode): Called | undefined {
  const { type: kind, object, property, computed } = Object(callee);
  if (type !== 'CallExpression' || kind !== 'MemberExpression' || computed === true) return undefined;
  return { name: property.value, object, args: args as readonly unknown[] };
}

/** Filters, and what they do with texts; others that have the name of a method do what the library does. */
const FILTERS: ReadonlyMap<unknown, string> = new Map([
  ['trim', 'trim'],
  ['capitalize', 'capitalize'],
  ['title', TITLE_FILTER],
]);

function filterOf({ type, operand, filter }: TemplateNode): Called | undefined {
  if (type !== 'FilterExpression') return undefined;
  const { value, callee = { value }, args = [] } = Object(filter);
  const name = FILTERS.get(callee.value);
  return name === undefined ? undefined : { name, object: operand, args };
}
