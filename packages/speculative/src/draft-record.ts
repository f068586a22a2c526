/** What a drafter that does not say how sure it is, and nobody has seen at work yet, is trusted with. */
export const UNKNOWN_ACCEPTANCE = 0.75;
/** Draft tokens that this first guess weighs as much as. */
const UNKNOWN_WEIGHT = 4;
/** Tokens of a row's output, before any was seen. */
const USUAL_OUTPUT = 16;
/** Decodes that do without the drafter before it is tried again; twice as many after each vain try. */
const FIRST_ABSENCE = 2;
/** Draft tokens after which the older ones count half, so that other texts are soon seen for what they are. */
const MEMORY = 1024;

/**
 * What a decoder saw of a drafter and a target in all its decodes: how often drafts are right, and how long outputs are. It
 * tells whether drafts will pay; outputs never depend on it.
 */
export class DraftRecord {
  #accepted = UNKNOWN_ACCEPTANCE * UNKNOWN_WEIGHT;
  #tried = UNKNOWN_WEIGHT;
  #outputs = 1;
  #tokens = USUAL_OUTPUT;
  /** Decodes in a row that did without the drafter, and how many do before it is tried again. */
  #unopened = 0;
  #absence = FIRST_ABSENCE;

  /** How often a draft token is accepted whose parent was. */
  get acceptance(): number {
    return this.#accepted / this.#tried;
  }

  /** Tokens of an output. */
  get usualOutput(): number {
    return this.#tokens / this.#outputs;
  }

  /** The drafter was opened, since it was expected to pay. */
  opened(): void {
    this.#unopened = 0;
    this.#absence = FIRST_ABSENCE;
  }

  /** Whether it is time to open it although it is not expected to pay; called once for each such decode. */
  tries(): boolean {
    if (this.#unopened++ < this.#absence) return false;
    this.#unopened = 0;
    this.#absence *= 2;
    return true;
  }

  /** So many outputs begin. */
  began(rows: number): void {
    this.#outputs += rows;
  }

  /** Of all rows of a round: draft tokens whose parents were accepted, those of them that were accepted, and tokens of the output. */
  saw(tried: number, accepted: number, tokens: number): void {
    this.#tried += tried;
    this.#accepted += accepted;
    this.#tokens += tokens;
    if (this.#tried < MEMORY) return;
    this.#tried /= 2;
    this.#accepted /= 2;
    this.#tokens /= 2;
    this.#outputs /= 2;
  }
}
