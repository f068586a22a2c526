import { append, forwardParts, maxScoredCells } from '@foretoken/core/kit';
import { type CandidateTree, candidateTree } from './candidate-tree.js';

/** Candidates of a row that are scored in one forward. */
export interface ScoringUnit {
  readonly row: number;
  /** Places of the candidates among the row's. */
  readonly candidates: readonly number[];
  readonly tree: CandidateTree;
}

/** Candidates of all rows, cut into forwards of bounded size: a row's are one tree unless that is too wide. */
export function* scoringParts(
  rows: readonly (readonly ArrayLike<number>[])[],
  vocabularySize: number,
): Generator<undefined, ScoringUnit[][]> {
  const maxCells = maxScoredCells(vocabularySize);
  const units: ScoringUnit[] = [];
  for (const [row, candidates] of rows.entries()) {
    yield;
    if (candidates.length > 0) append(units, unitsOf(row, candidates, maxCells));
  }
  return forwardParts(units, widthOf, maxCells);
}

function widthOf({ tree }: ScoringUnit): number {
  return tree.tokenIds.length + 1;
}

/** Some of a row's candidates as one tree. */
export function unitOf(row: number, candidates: readonly ArrayLike<number>[], some: readonly number[]): ScoringUnit {
  return { row, candidates: some, tree: candidateTree(some.map((index) => candidates[index])) };
}

function unitsOf(row: number, candidates: readonly ArrayLike<number>[], maxWidth: number): ScoringUnit[] {
  const unit = (some: readonly number[]): ScoringUnit => unitOf(row, candidates, some);
  const whole = unit([...candidates.keys()]);
  if (widthOf(whole) <= maxWidth) return [whole];
  const units: number[][] = [];
  let width = 0;
  for (const [index, { length }] of candidates.entries()) {
    const open = units.at(-1);
    width += length;
    if (open !== undefined && width <= maxWidth) open.push(index);
    else {
      units.push([index]);
      width = 1 + length;
    }
  }
  return units.map(unit);
}
