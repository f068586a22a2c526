"""Trains a directed acyclic graph student (Huang et al., 2022, "Directed Acyclic Transformer") on the teacher's encoder.

    python train_dag.py --data DATA --teacher runs/final/model --ctc runs/ctc-averaged/model \
        --source runs/augmented.en --targets runs/final/augmented.greedy.json --out runs/dag

The stack starts from the CTC student's: its frames already say most of what the vertices should. Part of the target is given
away along the most probable path where the first guess is wrong (glancing; section 2.4 of the paper).
"""
from __future__ import annotations

import math
import random
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from distill.checkpoint import load_ctc_folder
from distill.data import END, pad
from distill.losses import PickedLogProbs, dag_best_alignment, dag_log_likelihood
from distill.model import DropoutPool
from distill.student_folders import load_dag_folder, save_dag_folder
from distill.student_run import StudentData, in_groups, run, student_arguments
from distill.students import DagStudent


def lookahead(student: DagStudent, states: list[Tensor], start: int) -> list[list[int]]:
    """As `dagLookahead` of @foretoken/one-shot: the edge whose probability times that of its best token is highest."""
    still = DropoutPool(0.0, 0, 1)
    outputs: list[list[int]] = [[] for _ in states]
    for rows, padded, mask, lengths in in_groups(states):
        valid = mask[:, 0, 0].repeat_interleave(student.upsample, dim=-1)
        hidden = student.vertices(padded, mask, still)
        best, index = (hidden @ student.head.t() + student.head_bias).log_softmax(dim=-1).max(dim=-1)
        tokens = student.token_ids[index]
        after = (student.links(hidden, valid) + best[:, None]).argmax(dim=-1)
        for row, i in enumerate(rows):
            vertex, last = 0, int(lengths[row]) * student.upsample - 1
            said = [int(tokens[row, 0])]
            while vertex < last:
                vertex = int(after[row, vertex])
                said.append(int(tokens[row, vertex]))
            outputs[i] = [t for t in said if t not in (start, END)]
    return outputs


def main() -> None:
    parser = student_arguments(__doc__)
    parser.add_argument("--ctc", type=Path, help="weights folder of the CTC student to start from")
    parser.add_argument("--upsample", type=int, default=2)
    parser.add_argument("--link-heads", type=int, default=4)
    parser.add_argument("--glance-start", type=float, default=0.5, help="share of wrong positions given away, at the start ...")
    parser.add_argument("--glance-end", type=float, default=0.1, help="... and at the end of training")
    options = parser.parse_args()
    data = StudentData(options)
    shape = data.teacher.shape
    if options.start_from:
        student = load_dag_folder(options.start_from, shape)
    else:
        ctc = load_ctc_folder(options.ctc, shape) if options.ctc else None
        tokens = data.tokens(data.start_token, END)
        student = DagStudent(shape, tokens, options.upsample, len(ctc.source_layers) if ctc else 2,
                             len(ctc.frame_layers) if ctc else 4, ctc.feed_forward if ctc else 512, options.link_heads)
        if ctc:
            student.start_from_ctc(ctc, data.teacher)
    row_of = torch.full((shape.vocabulary_size,), -1)
    row_of[student.token_ids] = torch.arange(len(student.token_ids))
    target = [[data.start_token, *(t for t in row if row_of[t] >= 0), END] for row in data.target]
    usable = [i for i, row in enumerate(target) if 2 < len(row) <= student.upsample * len(data.states[i])]
    embedding = data.teacher.shared.weight.detach()

    def emissions_of(hidden: Tensor, valid: Tensor, labels: Tensor) -> Tensor:
        """`[batch, vertices, target]`; what lies beyond a row's last vertex is impossible."""
        picked = labels[valid.nonzero()[:, 0]]
        scores = PickedLogProbs.apply(hidden[valid], student.head, student.head_bias, picked)
        full = torch.full((*valid.shape, labels.shape[1]), -1e9)
        return full.masked_scatter(valid[..., None], scores)

    def loss_of(group: list[int], drop: DropoutPool, progress: float, _: random.Random) -> Tensor:
        states, mask, lengths = data.stacked(group)
        valid = mask[:, 0, 0].repeat_interleave(student.upsample, dim=-1)
        labels = row_of[pad([target[i] for i in group], END)]
        count = torch.tensor([len(target[i]) for i in group])
        last = lengths * student.upsample - 1
        share = options.glance_start + (options.glance_end - options.glance_start) * progress
        given = None
        if share > 0:
            with torch.no_grad():
                hidden = student.vertices(states, mask, DropoutPool(0.0, 0, 1)).float()
                said = torch.mm(hidden.flatten(0, 1), student.head.t()).add_(student.head_bias).argmax(dim=-1).view(valid.shape)
                path = dag_best_alignment(emissions_of(hidden, valid, labels).float(), student.links(hidden, valid).float(), count, last)
                inside = path >= 0
                wrong = ((said.gather(1, path.clamp(min=0)) != labels) & inside).sum(dim=1)
                rank = torch.rand(path.shape).masked_fill(~inside, 2.0).argsort(dim=1).argsort(dim=1)
                shown = inside & (rank < (wrong * share).round()[:, None])
                rows, positions = shown.nonzero(as_tuple=True)
                given = torch.zeros(*valid.shape, shape.width)
                given[rows, path[rows, positions]] = (
                    embedding[student.token_ids[labels[rows, positions]]] * math.sqrt(shape.width))
        hidden = student.vertices(states, mask, drop, given).float()
        emissions = emissions_of(hidden, valid, labels)
        with torch.autocast("cpu", enabled=False):
            links = student.links(hidden, valid)
            likelihood = dag_log_likelihood(emissions, links, count, last)
        return -(likelihood.clamp(min=-300) / count).mean()

    def scores_of() -> dict[str, float]:
        return {"valBleu": data.bleu(lookahead(student, data.val_states, data.start_token))}

    def save(folder: Path) -> None:
        save_dag_folder(folder, student, data.tokenizer, data.start_token)

    run(options, data, student, usable, lambda i: student.upsample * len(data.states[i]), loss_of, scores_of, save)


if __name__ == "__main__":
    main()
