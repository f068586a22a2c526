"""Counts an n-gram model of distilled targets, with which the lattice drafter re-ranks its guesses.

    python make_ngrams.py --targets runs/final/augmented.greedy.json --vocabulary-size 6001 --out runs/ctc/model

A CTC model chooses its tokens independently, and so joins words that do not go together; what the teacher tends to say
after the last two tokens repairs much of that, at the price of a few table look-ups. Interpolated absolute discounting
(Ney, Essen and Kneser, 1994), stored as a back-off model: a seen n-gram has its probability, an unseen one the shorter
one's times its history's back-off weight.
"""
from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from distill.data import END

DISCOUNT = 0.7


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--targets", type=Path, required=True)
    parser.add_argument("--vocabulary-size", type=int, required=True)
    parser.add_argument("--start", type=int, help="id that stands for the beginning; default: the last id")
    parser.add_argument("--least", type=int, default=2, help="drop trigrams seen less often")
    parser.add_argument("--least-bigram", type=int, default=1, help="drop bigrams seen less often; at most --least")
    parser.add_argument("--out", type=Path, required=True, help="folder; ngrams.safetensors is written into it")
    options = parser.parse_args()
    if options.least_bigram > options.least:
        parser.error("--least-bigram is at most --least, since a trigram needs its bigrams")
    size = options.vocabulary_size
    start = size - 1 if options.start is None else options.start
    unigrams: Counter[int] = Counter()
    bigrams: Counter[tuple[int, int]] = Counter()
    trigrams: Counter[tuple[int, int, int]] = Counter()
    for row in json.loads(options.targets.read_text()):
        before, last = start, start
        for token in [*row, END]:
            unigrams[token] += 1
            bigrams[last, token] += 1
            trigrams[before, last, token] += 1
            before, last = last, token
    total = sum(unigrams.values())
    unigram = np.array([(unigrams[i] + 0.5) / (total + 0.5 * size) for i in range(size)])
    followers: dict[int, list[int]] = defaultdict(list)
    for (last, _), count in bigrams.items():
        followers[last].append(count)
    bigram_backoff = np.ones(size)
    for last, counts in followers.items():
        bigram_backoff[last] = 1 - sum(count - DISCOUNT for count in counts if count >= options.least_bigram) / sum(counts)
    bigram = {pair: (count - DISCOUNT) / sum(followers[pair[0]]) + bigram_backoff[pair[0]] * unigram[pair[1]]
              for pair, count in bigrams.items() if count >= options.least_bigram}
    histories: dict[tuple[int, int], list[int]] = defaultdict(list)
    for (before, last, _), count in trigrams.items():
        histories[before, last].append(count)
    kept = {triple: count for triple, count in trigrams.items() if count >= options.least}
    kept_mass: Counter[tuple[int, int]] = Counter()
    for (before, last, _), count in kept.items():
        kept_mass[before, last] += count - DISCOUNT
    # What discounting and dropping took from a history goes to its shorter form.
    trigram_backoff = {pair: 1 - kept_mass[pair] / sum(counts) for pair, counts in histories.items()}
    trigram = {(b, l, t): (count - DISCOUNT) / sum(histories[b, l]) + trigram_backoff[b, l] * bigram[l, t]
               for (b, l, t), count in kept.items()}
    pairs = sorted(bigram)
    histories_alone = sorted(pair for pair in trigram_backoff if pair not in bigram and kept_mass[pair] > 0)
    pairs += histories_alone
    triples = sorted(trigram)
    ids = np.uint16 if size <= 1 << 16 else np.int32
    save_file({
        "unigram.probability": unigram.astype(np.float32),
        "unigram.backoff": bigram_backoff.astype(np.float32),
        "bigram.ids": np.array(pairs, dtype=ids),
        # A history that begins a sentence is no bigram itself; a probability of 0 says so.
        "bigram.probability": np.array([bigram.get(pair, 0) for pair in pairs], dtype=np.float32),
        "bigram.backoff": np.array([trigram_backoff.get(pair, 1) for pair in pairs], dtype=np.float32),
        "trigram.ids": np.array(triples, dtype=ids),
        "trigram.probability": np.array([trigram[triple] for triple in triples], dtype=np.float32),
    }, options.out / "ngrams.safetensors")
    print(json.dumps({"tokens": total, "bigrams": len(pairs), "trigrams": len(triples)}))


if __name__ == "__main__":
    main()
