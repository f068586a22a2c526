import { type AST, RegExpParser } from '@eslint-community/regexpp';
import { ForetokenError, type TokenConstraint, type Vocabulary } from '@foretoken/core';
import { DFA, JS, NFA, Transformers, transform } from 'refa';

/** A state of the automaton: what may follow the text so far. */
export type PatternState = DFA.ReadonlyNode;

/**
 * Lets only outputs through whose whole text matches `pattern`, and never a token after which no match can be completed.
 *
 * `textOf` gives the text a token adds to the output, `''` for tokens that stand for none, which are never allowed. Throws
 * `INVALID_ARGUMENT` for what an automaton cannot express (lookarounds, word boundaries, most back references) and for
 * flag v, which refa 0.12 does not read; `UNSATISFIABLE_CONSTRAINT` where no sequence of tokens matches.
 */
export function regularExpressionConstraint(
  pattern: RegExp,
  vocabulary: Vocabulary,
  textOf: (tokenId: number) => string,
): TokenConstraint<PatternState> {
  const { endTokenId } = vocabulary;
  const { initial, finals } = automatonOf(pattern);
  const texts = Array.from({ length: vocabulary.size }, (_, tokenId) => {
    const { padTokenId, unknownTokenId } = vocabulary;
    const special = tokenId === endTokenId || tokenId === padTokenId || tokenId === unknownTokenId;
    return special ? [] : charactersOf(textOf(tokenId), pattern);
  });

  /** The state after a token, `undefined` where the automaton has no way through its text. */
  function after(state: PatternState, tokenId: number): PatternState | undefined {
    const text = texts[tokenId] ?? [];
    let reached: PatternState | undefined = text.length === 0 ? undefined : state;
    for (let index = 0; reached !== undefined && index < text.length; index++) {
      reached = reached.out.get(text[index] as number);
    }
    return reached;
  }

  const live = statesThatCanEnd(initial, finals, (state) => texts.map((_, tokenId) => after(state, tokenId)));
  if (!live.has(initial)) {
    throw new ForetokenError(
      'UNSATISFIABLE_CONSTRAINT',
      `No sequence of tokens spells a text that matches ${pattern}.`,
      {
        pattern: String(pattern),
      },
    );
  }
  const masks = new Map<PatternState, Uint8Array>();
  return {
    start: () => initial,
    next(state, tokenId) {
      const reached = after(state, tokenId);
      if (reached === undefined) {
        throw new ForetokenError('INVALID_ARGUMENT', `Token ${tokenId} is not allowed here by ${pattern}.`, {
          tokenId,
        });
      }
      return reached;
    },
    allowed(state) {
      let mask = masks.get(state);
      if (mask === undefined) {
        mask = Uint8Array.from(texts, (_, tokenId) => {
          const reached = after(state, tokenId);
          return reached !== undefined && live.has(reached) ? 1 : 0;
        });
        if (endTokenId !== undefined) mask[endTokenId] = finals.has(state) ? 1 : 0;
        masks.set(state, mask);
      }
      return mask;
    },
  };
}

/** The smallest deterministic automaton that accepts exactly the texts which `pattern` matches from end to end. */
function automatonOf(pattern: RegExp): { readonly initial: PatternState; readonly finals: ReadonlySet<PatternState> } {
  try {
    // Version 2024 refuses modifiers such as (?i:a), which refa would overlook.
    const ast = new RegExpParser({ ecmaVersion: 2024 }).parseLiteral(String(pattern));
    for (const { elements } of ast.pattern.alternatives) {
      // Whole texts are matched in any case, and automata know no anchors.
      while (isAnchor(elements[0], 'start')) elements.shift();
      while (isAnchor(elements.at(-1), 'end')) elements.pop();
    }
    const { expression, maxCharacter } = JS.Parser.fromAst(ast).parse();
    const withoutLookarounds = transform(Transformers.applyAssertions(), expression);
    const automaton = DFA.fromFA(NFA.fromRegex(withoutLookarounds, { maxCharacter }));
    automaton.minimize();
    return automaton;
  } catch (cause) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `${pattern} cannot be made an automaton. Use no lookarounds, word boundaries, back references or flag v, and small counts.`,
      { option: 'pattern', received: String(pattern) },
      { cause },
    );
  }
}

function isAnchor(element: AST.Element | undefined, kind: 'start' | 'end'): boolean {
  return element?.type === 'Assertion' && element.kind === kind;
}

/** What the pattern counts as characters: code points with the flag u, otherwise UTF-16 units. */
function charactersOf(text: string, { unicode }: RegExp): number[] {
  if (unicode) return Array.from(text, (character) => character.codePointAt(0) as number);
  return Array.from({ length: text.length }, (_, index) => text.charCodeAt(index));
}

/**
 * The states, of those that tokens reach, from which tokens also reach a final state. An automaton alone does not know: it
 * may ask for a character that no token begins with.
 */
function statesThatCanEnd(
  initial: PatternState,
  finals: ReadonlySet<PatternState>,
  successorsOf: (state: PatternState) => readonly (PatternState | undefined)[],
): ReadonlySet<PatternState> {
  const predecessors = new Map<PatternState, PatternState[]>([[initial, []]]);
  // A map's iteration goes on to the keys that are added on the way.
  for (const state of predecessors.keys()) {
    for (const successor of new Set(successorsOf(state))) {
      if (successor === undefined) continue;
      const known = predecessors.get(successor);
      if (known === undefined) predecessors.set(successor, [state]);
      else known.push(state);
    }
  }
  const live = new Set([...predecessors.keys()].filter((state) => finals.has(state)));
  for (const state of live) for (const predecessor of predecessors.get(state) as PatternState[]) live.add(predecessor);
  return live;
}
