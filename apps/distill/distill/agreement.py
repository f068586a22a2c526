"""Which hypothesis of a teacher its student would say: what the two can agree on becomes what both learn."""
from __future__ import annotations

import torch
from torch import Tensor

from .data import pad
from .model import CtcStudent, DropoutPool
from .student_run import in_groups


@torch.no_grad()
def ctc_log_probs(student: CtcStudent, states: list[Tensor], candidates: list[list[list[int]]],
                  group_size: int = 32) -> list[list[float]]:
    """Natural-log probability that the student gives each candidate, summed over its alignments; -inf where it can't say it."""
    still = DropoutPool(0.0, 0, 1)
    blank = len(student.token_ids)
    label_of = {int(t): i for i, t in enumerate(student.token_ids)}
    scores: list[list[float]] = [[] for _ in states]
    for rows, padded, mask, lengths in in_groups(states, group_size):
        emissions = (student(padded, mask, still) @ student.head.t() + student.head_bias).log_softmax(dim=-1)
        owners = [row for row, i in enumerate(rows) for _ in candidates[i]]
        labels = [[label_of.get(t, -1) for t in c] for i in rows for c in candidates[i]]
        sayable = [len(row) > 0 and -1 not in row for row in labels]
        labels = [row if ok else [0] for row, ok in zip(labels, sayable)]
        losses = torch.nn.functional.ctc_loss(
            emissions[owners].transpose(0, 1), pad(labels, 0), lengths[owners] * student.upsample,
            torch.tensor([len(row) for row in labels]), blank=blank, reduction="none")
        for owner, loss, ok in zip(owners, losses.tolist(), sayable):
            scores[rows[owner]].append(-loss if ok else -float("inf"))
    return scores


def most_agreed(candidates: list[list[list[int]]], teacher: list[list[float]], student: list[list[float]],
                weight: float) -> list[list[int]]:
    """Of each row's candidates, the one with the largest `(1 - weight) · teacher + weight · student` log-probability."""
    chosen = []
    for rows, by_teacher, by_student in zip(candidates, teacher, student, strict=True):
        scores = [(1 - weight) * t + weight * max(s, -1e4) for t, s in zip(by_teacher, by_student, strict=True)]
        chosen.append(rows[scores.index(max(scores))])
    return chosen
