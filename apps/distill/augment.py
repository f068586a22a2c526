"""Recombines captions into new ones, so that distillation also sees sources the teacher was not trained on.

    python augment.py --data DATA --rounds 2 --out runs/augmented.en

Each caption is cut before its first linking word ("in", "on", "with", ...); heads and tails that were cut at the same
word are paired anew. On training sentences a teacher half remembers the references; on new ones it shows what it would
really say, which is what a student, or the teacher's own greedy search, should learn to say at once.
"""
from __future__ import annotations

import argparse
import random
from collections import defaultdict
from pathlib import Path

from distill.data import read_lines

LINKS = {"in", "on", "with", "while", "at", "near", "by", "from", "next", "through", "down", "over", "into", "under",
         "behind", "outside", "around", "along", "and", "as", "for"}


def cut(line: str) -> tuple[str, str, str] | None:
    words = line.split()
    for index in range(2, len(words) - 1):
        if words[index] in LINKS:
            return words[index], " ".join(words[:index]), " ".join(words[index:])
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=2, help="new captions for each one that can be cut")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True, help="training sources, then the recombined ones")
    options = parser.parse_args()
    order = random.Random(options.seed)
    lines = read_lines(options.data / "train.en")
    heads: dict[str, list[str]] = defaultdict(list)
    tails: dict[str, list[str]] = defaultdict(list)
    for line in lines:
        if (parts := cut(line)) is not None:
            heads[parts[0]].append(parts[1])
            tails[parts[0]].append(parts[2])
    known = set(lines)
    fresh: list[str] = []
    for _ in range(options.rounds):
        for link in sorted(heads):
            order.shuffle(tails[link])
            for head, tail in zip(heads[link], tails[link], strict=True):
                text = f"{head} {tail}"
                if text not in known:
                    known.add(text)
                    fresh.append(text)
    options.out.write_text("\n".join(lines + fresh) + "\n", encoding="utf-8")
    print(f"{len(lines)} captions, {len(fresh)} recombined")


if __name__ == "__main__":
    main()
