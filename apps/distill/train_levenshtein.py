"""Trains a Levenshtein student (Gu et al., 2019, "Levenshtein Transformer") on the teacher's encoder.

    python train_levenshtein.py --data DATA --teacher runs/final/model --start-from runs/canvas/model \
        --source runs/augmented.en --targets runs/final/augmented.greedy.json --out runs/levenshtein

Insertion learns from targets with tokens dropped at random: how many are missing in each gap, and which. Deletion learns from
what the student itself filled in: a token goes unless it belongs to a longest common subsequence with the target (section
3.2 of the paper, with the roll-in policies of its section 3.3).
"""
from __future__ import annotations

import random
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from distill.data import END, PAD, pad
from distill.losses import SmoothedCrossEntropy
from distill.model import DropoutPool
from distill.student_folders import load_edit_folder, save_edit_folder
from distill.student_run import StudentData, chosen, in_groups, run, student_arguments
from distill.students import EditStudent

PLACEHOLDER = PAD


def unmatched(row: list[int], target: list[int]) -> list[int]:
    """1 for each token of `row` outside a longest common subsequence with `target`."""
    begin, end, most = 0, 0, min(len(row), len(target))
    # What both begin and end with belongs to such a subsequence; the table is for the rest.
    while begin < most and row[begin] == target[begin]:
        begin += 1
    while end < most - begin and row[-1 - end] == target[-1 - end]:
        end += 1
    inner = unmatched_inside(row[begin : len(row) - end], target[begin : len(target) - end])
    return [0] * begin + inner + [0] * end


def unmatched_inside(row: list[int], target: list[int]) -> list[int]:
    width = len(target)
    table = [[0] * (width + 1) for _ in range(len(row) + 1)]
    for i in range(len(row) - 1, -1, -1):
        below, here, token = table[i + 1], table[i], row[i]
        for j in range(width - 1, -1, -1):
            here[j] = below[j + 1] + 1 if token == target[j] else max(below[j], here[j + 1])
    marks, i, j = [1] * len(row), 0, 0
    while i < len(row) and j < width:
        if row[i] == target[j]:
            marks[i] = 0
            i, j = i + 1, j + 1
        elif table[i + 1][j] >= table[i][j + 1]:
            i += 1
        else:
            j += 1
    return marks


def with_placeholders(row: list[int], counts: list[int]) -> list[int]:
    """`counts[g]` placeholders after token g."""
    return [t for token, count in zip(row, [*counts, 0]) for t in (token, *[PLACEHOLDER] * count)]


def shared(row: list[int], target: list[int]) -> tuple[list[int], list[int]]:
    """A longest common subsequence, both ends in it, and how many tokens the target has in each of its gaps."""
    left = [token for token, gone in zip(row, unmatched(row, target)) if not gone]
    missing = [0]
    for gone in unmatched(target, left)[1:]:
        if gone:
            missing[-1] += 1
        else:
            missing.append(0)
    return left, missing[:-1]


class Sources(NamedTuple):
    """What canvases are read beside; one row each."""

    states: Tensor
    mask: Tensor
    hints: list[Tensor] | None

    def of(self, rows: list[int]) -> Sources:
        part = torch.tensor(rows)
        return Sources(self.states[part], self.mask[part], chosen(self.hints, rows))


class Canvases:
    """Rows of boundary and text tokens, padded."""

    def __init__(self, rows: list[list[int]]) -> None:
        self.tokens = pad(rows, END)
        lengths = torch.tensor([len(row) for row in rows])
        self.valid = torch.arange(self.tokens.shape[1])[None, :] < lengths[:, None]
        self.gaps = self.valid[:, 1:]

    def hidden(self, student: EditStudent, sources: Sources, drop: DropoutPool) -> Tensor:
        # The start token comes before the hint.
        return student.hidden(self.tokens, self.valid, sources.states, sources.mask, drop, sources.hints, 1)


@torch.no_grad()
def insert(student: EditStudent, rows: list[list[int]], sources: Sources, most: int = 250) -> list[list[int]]:
    still = DropoutPool(0.0, 0, 1)
    canvases = Canvases(rows)
    counts = student.gap_logits(canvases.hidden(student, sources, still)).argmax(dim=-1).tolist()
    if sources.hints is not None:
        # Where nothing is written yet there is room for the hint, whose tokens then lie where they are read.
        counts = [[len(hint)] if len(row) == 2 else count for row, count, hint in zip(rows, counts, sources.hints)]
    opened = [with_placeholders(row, counts[i][: len(row) - 1])[:most] for i, row in enumerate(rows)]
    return fill(student, opened, sources)


@torch.no_grad()
def fill(student: EditStudent, rows: list[list[int]], sources: Sources) -> list[list[int]]:
    canvases = Canvases(rows)
    holes = (canvases.tokens == PLACEHOLDER) & canvases.valid
    if holes.any():
        hidden = canvases.hidden(student, sources, DropoutPool(0.0, 0, 1))[holes].float()
        canvases.tokens[holes] = student.token_ids[torch.addmm(student.head_bias, hidden, student.head.t()).argmax(dim=-1)]
    return [canvases.tokens[i, : len(row)].tolist() for i, row in enumerate(rows)]


@torch.no_grad()
def delete(student: EditStudent, rows: list[list[int]], sources: Sources) -> list[list[int]]:
    canvases = Canvases(rows)
    gone = student.deletion(canvases.hidden(student, sources, DropoutPool(0.0, 0, 1))).argmax(dim=-1).tolist()
    return [[t for j, t in enumerate(row) if j in (0, len(row) - 1) or not gone[i][j]] for i, row in enumerate(rows)]


def levenshtein(student: EditStudent, states: list[Tensor], hints: list[Tensor] | None, start: int,
                rounds: int = 10, initial: list[list[int]] | None = None) -> tuple[list[list[int]], float]:
    """As `levenshtein` of @foretoken/refine, from nothing or from `initial`; also the mean number of rounds."""
    outputs: list[list[int]] = [[] for _ in states]
    total = 0
    for rows, padded, mask, _ in in_groups(states):
        sources = Sources(padded, mask, chosen(hints, rows))
        texts = [[start, *([] if initial is None else initial[i]), END] for i in rows]
        running = list(range(len(rows)))
        for number in range(rounds):
            part = sources.of(running)
            before = [texts[i] for i in running]
            kept = delete(student, before, part) if number > 0 or initial is not None else before
            after = insert(student, kept, part)
            total += len(running)
            for i, text in zip(running, after):
                texts[i] = text
            running = [i for i, was, now in zip(running, before, after) if was != now]
            if not running:
                break
        for row, i in enumerate(rows):
            outputs[i] = texts[row][1:-1]
    return outputs, total / len(states)


def main() -> None:
    parser = student_arguments(__doc__, hints=True)
    parser.add_argument("--max-placeholders", type=int, default=63, help="most insertions a gap")
    parser.add_argument("--smoothing", type=float, default=0.1)
    parser.add_argument("--edit-source", action="store_true",
                        help="the source is what is edited: every decode begins with it, not with nothing")
    parser.add_argument("--layers", type=int, default=4, help="of a student that starts from the teacher's decoder")
    parser.add_argument("--feed-forward", type=int, default=512, help="likewise")
    options = parser.parse_args()
    data = StudentData(options)
    if options.start_from:
        student = load_edit_folder(options.start_from, data.teacher, options.max_placeholders, data.hints is not None)
    else:
        student = EditStudent(data.teacher.shape, data.tokens(), PLACEHOLDER, options.layers, options.feed_forward,
                              options.max_placeholders, data.hints is not None)
        student.start_from_teacher(data.teacher)
    row_of = torch.full((data.teacher.shape.vocabulary_size,), -1)
    row_of[student.token_ids] = torch.arange(len(student.token_ids))
    target = [[data.start_token, *(t for t in row if row_of[t] >= 0), END] for row in data.target]
    # From nothing, the first gap has to hold everything; an edit's gaps are checked one by one.
    longest = data.teacher.shape.max_positions if options.edit_source else student.max_placeholders
    usable = [i for i, row in enumerate(target) if 2 < len(row) <= longest]

    def dropped(row: list[int], order: random.Random) -> tuple[list[int], list[int]]:
        """The row with tokens missing at random, and how many are missing in each gap."""
        # Now and then everything is missing: every decode begins so.
        rate = 1.0 if not options.edit_source and order.random() < 0.15 else order.random()
        left, missing = [row[0]], [0]
        for j in range(1, len(row)):
            if j < len(row) - 1 and order.random() < rate:
                missing[-1] += 1
            else:
                left.append(row[j])
                missing.append(0)
        return left, missing[:-1]

    def roll_in(i: int, order: random.Random) -> tuple[list[int], list[int]]:
        """What insertion learns from: what is left of the source, or of the target."""
        if options.edit_source and order.random() < 0.75:
            left, missing = shared([data.start_token, *data.sources[0][i]], target[i])
            if max(missing) <= student.max_placeholders:
                return left, missing
        left, missing = dropped(target[i], order)
        return (left, missing) if max(missing) <= student.max_placeholders else (target[i], [0] * (len(target[i]) - 1))

    def loss_of(group: list[int], drop: DropoutPool, progress: float, order: random.Random) -> Tensor:
        states, mask, _ = data.stacked(group)
        sources = Sources(states, mask, chosen(data.hints, group))
        wanted = [target[i] for i in group]
        kept, counts = map(list, zip(*(roll_in(i, order) for i in group)))
        sparse = Canvases(kept)
        gap_logits = student.gap_logits(sparse.hidden(student, sources, drop))[sparse.gaps]
        gaps = F.cross_entropy(gap_logits.float(), torch.tensor([c for row in counts for c in row]))
        opened = Canvases([with_placeholders(row, missing) for row, missing in zip(kept, counts)])
        holes = (opened.tokens == PLACEHOLDER) & opened.valid
        labels = row_of[pad(wanted, END)[holes]]
        said = opened.hidden(student, sources, drop)[holes]
        tokens = gaps.new_zeros(())
        if holes.any():
            tokens = SmoothedCrossEntropy.apply(said, student.head, student.head_bias, labels, options.smoothing)
        if options.edit_source and order.random() < 0.6:
            filled = [[data.start_token, *data.sources[0][i]] for i in group]
        elif order.random() < 0.5:
            filled = insert(student, kept, sources)
        else:
            # The right number of placeholders, some of them filled wrongly: what they say with dropout on varies them.
            ids = torch.addmm(student.head_bias, said.detach().float(), student.head.detach().t()).argmax(dim=-1)
            grown = opened.tokens.clone()
            grown[holes] = student.token_ids[ids]
            filled = [grown[i, : len(row)].tolist() for i, row in enumerate(wanted)]
        marks = [[0, *unmatched(row[1:-1], want[1:-1]), 0] for row, want in zip(filled, wanted)]
        grown = Canvases(filled)
        inner = grown.valid.clone()
        inner[:, 0] = False
        inner &= torch.cat([grown.valid[:, 1:], torch.zeros(len(group), 1, dtype=torch.bool)], dim=1)
        deletion = F.cross_entropy(student.deletion(grown.hidden(student, sources, drop)[inner]).float(),
                                   pad(marks, 0)[inner]) if inner.any() else gaps.new_zeros(())
        return tokens + gaps + deletion

    def scores_of() -> dict[str, float]:
        initial = [row[:-1] for row in data.sources[1]] if options.edit_source else None
        outputs, rounds = levenshtein(student, data.val_states, data.val_hints, data.start_token, initial=initial)
        return {**data.scores(outputs), "rounds": round(rounds, 2)}

    def save(folder: Path) -> None:
        save_edit_folder(folder, student, data.tokenizer, data.start_token)

    run(options, data, student, usable, lambda i: len(target[i]), loss_of, scores_of, save)


if __name__ == "__main__":
    main()
