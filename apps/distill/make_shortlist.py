"""Lists, for every source token, the target tokens it is likely to become: a drafter then scores these alone.

    python make_shortlist.py --student runs/ctc/model --source runs/augmented.en \
        --targets runs/final/augmented.greedy.json --out runs/export/ctc

Translation probabilities come from IBM model 1 (Brown et al., 1993) over sources and distilled targets; a sentence's shortlist
is the union of its tokens' lists and of the most frequent target tokens, as in Marian (Junczys-Dowmunt et al., 2018). The
file holds `common [tokens]` and `by_source [source tokens, most]` int32, most probable first, -1 where there is none.
"""
from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer

from distill.student_run import read_rows


def pairs_of(source: list[list[int]], target: list[list[int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every source token beside every target token of its sentence: source ids, target ids, running target position."""
    sources, targets, positions, position = [], [], [], 0
    for s, t in zip(source, target, strict=True):
        distinct = np.unique(s)
        sources.append(np.tile(distinct, len(t)))
        targets.append(np.repeat(np.array(t, dtype=np.int64), len(distinct)))
        positions.append(np.repeat(np.arange(position, position + len(t)), len(distinct)))
        position += len(t)
    return np.concatenate(sources), np.concatenate(targets), np.concatenate(positions)


def expected_counts(source: np.ndarray, target: np.ndarray, position: np.ndarray, size: int, rounds: int,
                    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How often each source token became each target token, as IBM model 1 sees it after some rounds of EM."""
    keys, pair = np.unique(source * size + target, return_inverse=True)
    source_of = keys // size
    probability = np.ones(len(keys))
    counts = probability
    for _ in range(rounds):
        share = probability[pair]
        share /= np.bincount(position, share)[position]
        counts = np.bincount(pair, share)
        probability = counts / np.bincount(source_of, counts, size)[source_of]
    return source_of, keys % size, counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--student", type=Path, required=True, help="CTC student; only what its head can say is listed")
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--targets", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--most", type=int, default=16, help="target tokens a source token")
    parser.add_argument("--least", type=float, default=0.3, help="expected count below which a pair is left out")
    parser.add_argument("--common", type=int, default=200, help="most frequent target tokens, in every shortlist")
    parser.add_argument("--out", type=Path, required=True, help="folder; shortlist.safetensors is written into it")
    options = parser.parse_args()
    tokenizer = Tokenizer.from_file(str(options.student / "tokenizer.json"))
    sayable = set(load_file(options.student / "model.safetensors")["head.token_ids"].tolist())
    size = tokenizer.get_vocab_size()
    target = [[t for t in row if t in sayable] for row in json.loads(options.targets.read_text())]
    source = read_rows(options.source, tokenizer)
    frequency = np.bincount(np.concatenate([np.array(row, dtype=np.int64) for row in target]), minlength=size)
    common = np.argsort(-frequency, kind="stable")[: options.common]
    common = np.sort(common[frequency[common] > 0])
    source_of, target_of, counts = expected_counts(*pairs_of(source, target), size, options.rounds)
    kept = (counts >= options.least) & ~np.isin(target_of, common)
    source_of, target_of, counts = source_of[kept], target_of[kept], counts[kept]
    order = np.lexsort((target_of, -counts, source_of))
    source_of, target_of = source_of[order], target_of[order]
    rank = np.arange(len(source_of)) - np.searchsorted(source_of, source_of)
    first = rank < options.most
    by_source = np.full((size, options.most), -1, dtype=np.int32)
    by_source[source_of[first], rank[first]] = target_of[first]
    save_file({"common": common.astype(np.int32), "by_source": by_source}, options.out / "shortlist.safetensors")
    shortlists = [set(common) | set(by_source[row].ravel()) - {-1} for row in source]
    covered = sum(t in listed for listed, row in zip(shortlists, target) for t in row)
    print(json.dumps({"tokens": int(frequency.sum()), "covered": round(covered / int(frequency.sum()), 5),
                      "meanLength": round(float(np.mean([len(s) for s in shortlists])), 1)}))


if __name__ == "__main__":
    main()
