"""How good corrections are: of words, of casing and full stops, and of what should be left alone.

Texts are compared as words and punctuation marks, aligned by longest matching blocks.
"""
from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

TOKEN = re.compile(r"\w+(?:['’-]\w+)*|[^\w\s]")


class Triple(NamedTuple):
    source: str
    target: str
    output: str


def tokens_of(text: str) -> list[str]:
    return TOKEN.findall(text)


def edits(before: Sequence[str], after: Sequence[str]) -> set[tuple[int, int, tuple[str, ...]]]:
    """What turns `before` into `after`: start, end and the words put there."""
    blocks = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    return {(i, j, tuple(after[k:l])) for kind, i, j, k, l in blocks if kind != "equal"}


def kept(words: Sequence[str], other: Sequence[str]) -> set[int]:
    """Places of `words` that an alignment finds again in `other`."""
    blocks = SequenceMatcher(None, words, other, autojunk=False).get_matching_blocks()
    return {place for block in blocks for place in range(block.a, block.a + block.size)}


def f_score(right: int, said: int, wanted: int, beta: float = 1.0) -> float:
    """0 where nothing is right; 1 where nothing was said and nothing wanted."""
    if said == wanted == 0:
        return 1.0
    return (1 + beta**2) * right / max(1e-9, beta**2 * wanted + said)


def edit_scores(triples: Sequence[Triple]) -> dict[str, float]:
    """Precision, recall and F0.5 of edits, casing and punctuation included."""
    right = said = wanted = 0
    for source, target, output in triples:
        before = tokens_of(source)
        gold, made = edits(before, tokens_of(target)), edits(before, tokens_of(output))
        right, said, wanted = right + len(gold & made), said + len(made), wanted + len(gold)
    return {"precision": right / max(1, said), "recall": right / max(1, wanted), "f05": f_score(right, said, wanted, 0.5)}


def restored(triples: Sequence[Triple]) -> float:
    """Share of the words that the source lacks, casing apart, which the output holds at their place."""
    lost = back = 0
    for source, target, output in triples:
        words = [word for word in tokens_of(target.lower()) if word[0].isalnum()]
        found = kept(words, tokens_of(source.lower()))
        again = kept(words, tokens_of(output.lower()))
        corrupted = set(range(len(words))) - found
        lost, back = lost + len(corrupted), back + len(corrupted & again)
    return back / max(1, lost)


def false_changes(lines: Sequence[tuple[str, str]]) -> float:
    """Share of words of good lines `(line, output)` that the output lacks or alters, casing included."""
    changed = total = 0
    for line, output in lines:
        words = [word for word in tokens_of(line) if word[0].isalnum()]
        changed, total = changed + len(words) - len(kept(words, tokens_of(output))), total + len(words)
    return changed / max(1, total)


def mark_f1(triples: Sequence[Triple], mark: str) -> float:
    """F1 of a punctuation mark by the word it follows."""
    right = said = wanted = 0
    for _, target, output in triples:
        gold, made = tokens_of(target.lower()), tokens_of(output.lower())
        # Words alone are aligned, so that a mark is right where it follows the same word of the line.
        gold_words, gold_marks = split_marks(gold, mark)
        made_words, made_marks = split_marks(made, mark)
        blocks = SequenceMatcher(None, gold_words, made_words, autojunk=False).get_opcodes()
        place: dict[int, int] = {}
        for _, i, j, k, l in blocks:
            if j - i == l - k:
                place |= {k + n: i + n for n in range(j - i)}
            elif j > i and l > k:
                place[l - 1] = j - 1
        right += sum(place.get(at) in gold_marks for at in made_marks)
        said, wanted = said + len(made_marks), wanted + len(gold_marks)
    return f_score(right, said, wanted)


def split_marks(tokens: Sequence[str], mark: str) -> tuple[list[str], set[int]]:
    words: list[str] = []
    marks: set[int] = set()
    for token in tokens:
        if token == mark and words:
            marks.add(len(words) - 1)
        elif token[0].isalnum():
            words.append(token)
    return words, marks


def capitals_f1(triples: Sequence[Triple]) -> float:
    """F1 of words with a capital, by place."""
    right = said = wanted = 0
    for _, target, output in triples:
        gold, made = ([word for word in tokens_of(text) if word[0].isalnum()] for text in (target, output))
        blocks = SequenceMatcher(None, [w.lower() for w in gold], [w.lower() for w in made], autojunk=False).get_matching_blocks()
        right += sum(gold[b.a + n] == made[b.b + n] != made[b.b + n].lower() for b in blocks for n in range(b.size))
        said, wanted = said + sum(w != w.lower() for w in made), wanted + sum(w != w.lower() for w in gold)
    return f_score(right, said, wanted)
