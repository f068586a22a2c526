"""Holds the losses to their definitions on small random cases: run it after changing them.

    python check_losses.py
"""
from __future__ import annotations

import itertools
import random

import torch

from distill.losses import PickedLogProbs, SmoothedCrossEntropy, dag_best_alignment, dag_log_likelihood
from train_levenshtein import shared, unmatched


def picked_log_probs() -> None:
    hidden, weight, bias = (torch.randn(*shape, requires_grad=True) for shape in ((307, 5), (9, 5), (9,)))
    picked = torch.randint(0, 9, (307, 3))
    picked[:, 2] = picked[:, 0]
    upstream = torch.randn(307, 3)
    ours = PickedLogProbs.apply(hidden, weight, bias, picked)
    plain = (hidden @ weight.t() + bias).log_softmax(-1).gather(1, picked)
    torch.testing.assert_close(ours, plain)
    for a, b in zip(*(torch.autograd.grad((x * upstream).sum(), (hidden, weight, bias)) for x in (ours, plain)), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


def smoothed_cross_entropy() -> None:
    hidden, weight, bias = (torch.randn(*shape, requires_grad=True) for shape in ((307, 5), (9, 5), (9,)))
    labels = torch.randint(0, 9, (307,))
    ours = SmoothedCrossEntropy.apply(hidden, weight, bias, labels, 0.1)
    plain = torch.nn.functional.cross_entropy(hidden @ weight.t() + bias, labels, label_smoothing=0.1)
    torch.testing.assert_close(ours, plain)
    for a, b in zip(*(torch.autograd.grad(x, (hidden, weight, bias)) for x in (ours, plain)), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def dag_paths() -> None:
    """All paths, one by one."""
    vertices, longest = 7, 5
    later = torch.ones(vertices, vertices, dtype=torch.bool).triu(1)
    for _ in range(20):
        emissions = torch.randn(3, vertices, longest).log_softmax(-1)
        links = torch.randn(3, vertices, vertices).masked_fill(~later, -1e9).log_softmax(-1)
        links[:, -1] = -1e9
        lengths, last = torch.tensor([5, 4, 3]), torch.tensor([6, 5, 3])
        summed = dag_log_likelihood(emissions, links, lengths, last)
        best = dag_best_alignment(emissions, links, lengths, last)
        for row in range(3):
            length, end = int(lengths[row]), int(last[row])
            scores = {}
            for middle in itertools.combinations(range(1, end), length - 2):
                path = (0, *middle, end)
                scores[path] = float(sum(emissions[row, v, j] for j, v in enumerate(path))
                                     + sum(links[row, u, v] for u, v in zip(path, path[1:])))
            torch.testing.assert_close(summed[row], torch.tensor(list(scores.values())).logsumexp(0))
            assert tuple(best[row, :length].tolist()) == max(scores, key=scores.get)


def longest_common_subsequences() -> None:
    order = random.Random(1)
    for _ in range(300):
        row, target = ([order.randrange(4) for _ in range(order.randrange(8))] for _ in range(2))
        kept = [t for t, gone in zip(row, unmatched(row, target)) if not gone]

        def inside(part: tuple[int, ...]) -> bool:
            rest = iter(target)
            return all(t in rest for t in part)

        longest = max(n for n in range(len(row) + 1) if any(inside(c) for c in itertools.combinations(row, n)))
        assert inside(tuple(kept)) and len(kept) == longest
        left, missing = shared([9, *row, 8], [9, *target, 8])
        assert left == [9, *kept, 8] and sum(missing) == len(target) - longest and len(missing) == len(left) - 1
        rest = iter([9, *target, 8])
        placed = [[next(rest) for _ in range(before + 1)][-1] for before in [0, *missing]]
        assert placed == left


if __name__ == "__main__":
    torch.manual_seed(0)
    for check in (picked_log_probs, smoothed_cross_entropy, dag_paths, longest_common_subsequences):
        check()
        print(f"{check.__name__}: as defined")
