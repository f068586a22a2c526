"""Training pairs in shards, each made anew from the text by its number alone, so that a run resumes anywhere."""
from __future__ import annotations

from random import Random

from tokenizers import Tokenizer

from .noise import Noise

Rows = list[list[int]]


def groups_of(lines: list[str], order: Random, longest: int) -> list[list[str]]:
    """Single lines mostly, and two or three joined to one of at most `longest` characters."""
    groups: list[list[str]] = []
    wanted = 0
    for line in lines:
        if wanted > 1 and sum(map(len, groups[-1])) + len(line) <= longest:
            groups[-1].append(line)
            wanted -= 1
        else:
            groups.append([line])
            wanted = order.choices((1, 2, 3), (70, 20, 10))[0]
    return groups


class Shards:
    """`size` lines a shard; an epoch is every line once."""

    def __init__(self, lines: list[str], noise: Noise, tokenizer: Tokenizer, seed: int, size: int = 12_000,
                 longest: int = 220) -> None:
        self.lines, self.noise, self.tokenizer, self.seed, self.size, self.longest = lines, noise, tokenizer, seed, size, longest
        self.count = max(1, round(len(lines) / size))

    def __getitem__(self, number: int) -> tuple[Rows, Rows]:
        """Source and target token ids, the end token last; pairs of more than `longest` tokens are left out."""
        epoch, part = divmod(number, self.count)
        shuffled = list(range(len(self.lines)))
        Random(f"{self.seed} {epoch}").shuffle(shuffled)
        order = Random(f"{self.seed} shard {number}")
        groups = groups_of([self.lines[i] for i in shuffled[part :: self.count]], order, self.longest)
        pairs = [self.noise.pair(group, order) for group in groups]
        source, target = ([encoding.ids for encoding in self.tokenizer.encode_batch([pair[side] for pair in pairs])] for side in (0, 1))
        kept = [i for i in range(len(pairs)) if max(len(source[i]), len(target[i])) <= self.longest and len(source[i]) > 1]
        return [source[i] for i in kept], [target[i] for i in kept]
