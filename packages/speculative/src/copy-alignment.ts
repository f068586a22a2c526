/**
 * What edits cost. What the output adds has to be named among all that could stand there; what it leaves out has not, so it is
 * more probable.
 */
const LEAVE_OUT = 1;
const SWAP = 2;
/** Also for replacing a unit. */
const ADD = 4;
/** More, where a space is left out, or replaced by something else or the other way round: words mostly stay words. */
const SPACE = 1;
/** Going on anywhere else: no place is worse by more than this. */
const JUMP = 12;
/** Positions looked at on either side of the best one, so that a unit costs the same in a text of any length. */
const REACH = 256;
/** Places that are worse than the best one by no more than this are nearly as probable. */
const SLACK = 2;

/** What the output so far costs if it ends at each of the positions from `low` to `high` of the text. */
interface Row {
  low: number;
  high: number;
  readonly costs: Int32Array;
  /** The position where it costs least, and what it costs there. */
  at: number;
  min: number;
}

/**
 * Where a growing output stands in the text it copies: a weighted edit distance of output and text, swapped neighbours included
 * (Damerau, 1964), whose end in the text is free. At a cost the output goes on elsewhere, so parts of the text may be missing,
 * moved or repeated.
 *
 * Units are characters or tokens. Adding one looks at 513 positions at most, however long text and output are. Of equal
 * positions the one nearest to the diagonal counts, as where a unit was replaced.
 */
export class CopyAlignment {
  readonly #text: Int32Array;
  /** Of the output, of the output without its last unit, and a spare one. */
  #row: Row;
  #before: Row;
  #spare: Row;
  #last: number | undefined;

  constructor(text: Int32Array) {
    this.#text = text;
    const width = Math.min(text.length, 2 * REACH) + 1;
    const row = (): Row => ({ low: 0, high: 0, costs: new Int32Array(width), at: 0, min: 0 });
    this.#row = row();
    this.#before = row();
    this.#spare = row();
    this.restart();
  }

  /** Goes back to the empty output. */
  restart(): void {
    const row = this.#row;
    row.low = 0;
    row.high = Math.min(this.#text.length, REACH);
    row.at = 0;
    row.min = 0;
    row.costs[0] = 0;
    for (let position = 1; position <= row.high; position++) {
      row.costs[position] = row.costs[position - 1] + leaveOut(this.#text[position - 1]);
    }
    this.#last = undefined;
  }

  /** The most probable position in the text; what follows there is what to copy. */
  get position(): number {
    return this.#row.at;
  }

  /** What the edits cost that lead there. */
  get cost(): number {
    return this.#row.min;
  }

  /** What they cost if the output so far ends at another position. */
  costAt(position: number): number {
    return costAt(this.#row, position);
  }

  /** Adds a unit to the output. */
  push(unit: number): void {
    const text = this.#text;
    const before = this.#row;
    const earlier = this.#before;
    const row = this.#spare;
    const { costs } = row;
    const low = Math.max(0, before.at - REACH);
    const high = Math.min(text.length, before.at + REACH);
    const expected = before.at + 1;
    const space = isSpace(unit);
    let at = low;
    let min = Number.POSITIVE_INFINITY;
    let diagonal = costAt(before, low - 1);
    let left = Number.POSITIVE_INFINITY;
    for (let position = low; position <= high; position++) {
      const above = costAt(before, position);
      let cost = above + ADD;
      if (position > 0) {
        const here = text[position - 1];
        const replaced = here === unit ? 0 : isSpace(here) === space ? ADD : ADD + SPACE;
        cost = Math.min(cost, diagonal + replaced, left + leaveOut(here));
        if (here === this.#last && position > 1 && text[position - 2] === unit) {
          cost = Math.min(cost, costAt(earlier, position - 2) + SWAP);
        }
      }
      costs[position - low] = cost;
      if (cost < min || (cost === min && Math.abs(position - expected) < Math.abs(at - expected))) {
        min = cost;
        at = position;
      }
      diagonal = above;
      left = cost;
    }
    row.low = low;
    row.high = high;
    row.at = at;
    row.min = min;
    this.#spare = earlier;
    this.#before = before;
    this.#row = row;
    this.#last = unit;
  }

  /**
   * The most probable position and those that are nearly as probable, at most so many, the best first. Those that leave out
   * more of the text than the output shows are not among them.
   */
  positions(max: number): number[] {
    const { low, high, costs, at, min } = this.#row;
    const found: number[] = [];
    for (let position = low; position <= high && max > 1; position++) {
      const cost = costs[position - low];
      const shown = position === low || cost < costs[position - low - 1] + leaveOut(this.#text[position - 1]);
      if (position !== at && cost <= min + SLACK && shown) found.push(position);
    }
    found.sort((a, b) => this.costAt(a) - this.costAt(b) || Math.abs(a - at) - Math.abs(b - at));
    return [at, ...found].slice(0, max);
  }
}

function costAt({ low, high, costs, min }: Row, position: number): number {
  const elsewhere = min + JUMP;
  if (position < low || position > high) return elsewhere;
  return Math.min(costs[position - low], elsewhere);
}

function leaveOut(unit: number): number {
  return isSpace(unit) ? LEAVE_OUT + SPACE : LEAVE_OUT;
}

/** A space as it is, as byte-level vocabularies write it, and as SentencePiece does. */
function isSpace(unit: number): boolean {
  return unit === 0x20 || unit === 0x120 || unit === 0x2581;
}
