"""Trains a canvas student (CMLM) on the teacher's encoder: mask-predict and one-shot NAT from one network.

    python train_canvas.py --data DATA --teacher runs/final/model --source runs/augmented.en \
        --targets runs/final/augmented.greedy.json --out runs/canvas

Each batch is either masked at random (Ghazvininejad et al., 2019, section 3), or wholly masked with some of the target
given away where the student's first guess is wrong (Qian et al., 2021, "Glancing Transformer"): the first teaches to refine,
the second to say it all at once. Some given tokens are replaced by guesses, which are to be corrected.
"""
from __future__ import annotations

import random
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from distill.data import PAD, pad
from distill.losses import SmoothedCrossEntropy
from distill.model import DropoutPool
from distill.student_folders import load_canvas_folder, save_canvas_folder
from distill.student_run import StudentData, chosen, in_groups, run, student_arguments
from distill.students import LENGTH_CLASSES, LENGTH_OFFSET, CanvasStudent

MASK = PAD


def mask_predict(student: CanvasStudent, states: list[Tensor], hints: list[Tensor] | None,
                 iterations: int) -> list[list[int]]:
    """As `maskPredict` of @foretoken/refine, with the most probable length."""
    still = DropoutPool(0.0, 0, 1)
    outputs: list[list[int]] = [[] for _ in states]
    for rows, padded, mask, lengths in in_groups(states):
        own = chosen(hints, rows)
        count = (lengths + student.length_logits(padded, mask, own).argmax(dim=-1) - LENGTH_OFFSET).clamp(min=1)
        valid = torch.arange(int(count.max()))[None, :] < count[:, None]
        tokens = torch.full(valid.shape, MASK)
        scores = torch.zeros(valid.shape)
        masked = valid.clone()
        for iteration in range(1, iterations + 1):
            hidden = student.hidden(tokens, valid, padded, mask, still, own)
            best, index = (hidden @ student.head.t() + student.head_bias).log_softmax(dim=-1).max(dim=-1)
            tokens = torch.where(masked, student.token_ids[index], tokens)
            scores = torch.where(masked, best, scores)
            again = count * (iterations - iteration) // iterations
            rank = scores.masked_fill(~valid, 1e9).argsort(dim=1).argsort(dim=1)
            masked = (rank < again[:, None]) & valid
            if iteration < iterations:
                tokens = tokens.masked_fill(masked, MASK)
        for row, i in enumerate(rows):
            outputs[i] = tokens[row, : int(count[row])].tolist()
    return outputs


def main() -> None:
    parser = student_arguments(__doc__, hints=True)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--feed-forward", type=int, default=512)
    parser.add_argument("--smoothing", type=float, default=0.1)
    parser.add_argument("--glancing", type=float, default=0.4, help="share of batches that start from nothing but masks")
    parser.add_argument("--glance-start", type=float, default=0.5, help="share of wrong positions given away, at the start ...")
    parser.add_argument("--glance-end", type=float, default=0.3, help="... and at the end of training")
    parser.add_argument("--corrupt", type=float, default=0.1, help="share of given tokens replaced by guesses to be corrected, in half of the other batches")
    options = parser.parse_args()
    data = StudentData(options)
    if options.start_from:
        student = load_canvas_folder(options.start_from, data.teacher, data.hints is not None)
    else:
        student = CanvasStudent(data.teacher.shape, data.tokens(), MASK, options.layers, options.feed_forward,
                                reads_hints=data.hints is not None)
        student.start_from_teacher(data.teacher)
    row_of = torch.full((data.teacher.shape.vocabulary_size,), -1)
    row_of[student.token_ids] = torch.arange(len(student.token_ids))
    # A continued student keeps its head: what that cannot say is left out of its targets.
    target = [[t for t in row if row_of[t] >= 0] for row in data.target]
    usable = [i for i, row in enumerate(target)
              if row and abs(len(row) - len(data.states[i])) < LENGTH_OFFSET and len(row) < 200]

    def guess(tokens: Tensor, valid: Tensor, states: Tensor, mask: Tensor, hints: list[Tensor] | None, where: Tensor) -> Tensor:
        """What the student would say at the positions `where`."""
        with torch.no_grad():
            hidden = student.hidden(tokens, valid, states, mask, DropoutPool(0.0, 0, 1), hints)[where]
            return student.token_ids[torch.addmm(student.head_bias, hidden, student.head.t()).argmax(dim=-1)]

    def loss_of(group: list[int], drop: DropoutPool, progress: float, order: random.Random) -> Tensor:
        states, mask, lengths = data.stacked(group)
        hints = chosen(data.hints, group)
        full = pad([target[i] for i in group], MASK)
        count = torch.tensor([len(target[i]) for i in group])
        valid = torch.arange(full.shape[1])[None, :] < count[:, None]
        noise = torch.rand(full.shape).masked_fill(~valid, 2.0)
        rank = noise.argsort(dim=1).argsort(dim=1)
        glancing = order.random() < options.glancing
        tokens = torch.full(full.shape, MASK)
        if glancing:
            guessed = tokens.clone()
            guessed[valid] = guess(tokens, valid, states, mask, hints, valid)
            wrong = ((guessed != full) & valid).sum(dim=1)
            share = options.glance_start + (options.glance_end - options.glance_start) * progress
            given = rank < (wrong * share).round()[:, None]
        else:
            given = rank >= (torch.rand(len(group)) * count).floor()[:, None] + 1
        given &= valid
        tokens = torch.where(given, full, tokens)
        learned = valid & ~given
        if not glancing and order.random() < 0.5 and options.corrupt > 0:
            corrupted = given & (torch.rand(full.shape) < options.corrupt)
            if corrupted.any():
                hidden = tokens.masked_fill(corrupted, MASK)
                tokens[corrupted] = guess(hidden, valid, states, mask, hints, corrupted)
                learned |= corrupted
        hidden = student.hidden(tokens, valid, states, mask, drop, hints)
        loss = SmoothedCrossEntropy.apply(hidden[learned], student.head, student.head_bias, row_of[full[learned]],
                                          options.smoothing)
        classes = (count - lengths + LENGTH_OFFSET).clamp(0, LENGTH_CLASSES - 1)
        return loss + 0.1 * F.cross_entropy(student.length_logits(states, mask, hints), classes)

    def scores_of() -> dict[str, float]:
        return {f"valBleu{n}": data.bleu(mask_predict(student, data.val_states, data.val_hints, n)) for n in (1, 4, 10)}

    def save(folder: Path) -> None:
        save_canvas_folder(folder, student, data.tokenizer)

    run(options, data, student, usable, lambda i: len(target[i]), loss_of, scores_of, save)


if __name__ == "__main__":
    main()
