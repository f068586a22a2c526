"""Trains the CTC student on the frozen encoder of the teacher, on distilled targets. Resumable: run it again.

    python train_ctc.py --data DATA --teacher runs/sharpened/model --targets runs/sharpened/train.greedy.json \
        --out runs/ctc
"""
from __future__ import annotations

import argparse
import random
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from distill.checkpoint import load_ctc_folder, save_ctc_folder
from distill.data import pad
from distill.losses import CtcLoss
from distill.model import CtcStudent, DropoutPool
from distill.student_run import StudentData, in_groups, run, student_arguments
from distill.students import widened


def best_path(student: CtcStudent, states: list[Tensor]) -> list[list[int]]:
    """Argmax of every frame, repeats collapsed, blanks dropped."""
    still = DropoutPool(0.0, 0, 1)
    blank = len(student.token_ids)
    token_ids = student.token_ids.tolist()
    outputs: list[list[int]] = [[] for _ in states]
    for rows, padded, mask, lengths in in_groups(states):
        best = (student(padded, mask, still) @ student.head.t() + student.head_bias).argmax(dim=-1)
        for row, i in enumerate(rows):
            collapsed = best[row, : int(lengths[row]) * student.upsample].unique_consecutive().tolist()
            outputs[i] = [token_ids[j] for j in collapsed if j != blank]
    return outputs


def frames_to_imitate(options: argparse.Namespace, data: StudentData) -> list[Tensor] | None:
    """The frames of the student named by `--imitate`, a sentence each; none without one."""
    if not options.imitate:
        return None
    other = load_ctc_folder(options.imitate, data.teacher.shape).eval()
    assert other.upsample == options.upsample, "as many frames a state"
    still = DropoutPool(0.0, 0, 1)
    frames = [torch.empty(0)] * len(data.states)
    with torch.no_grad():
        for rows, padded, mask, lengths in in_groups(data.states):
            made = other(padded, mask, still).bfloat16()
            for row, i in enumerate(rows):
                frames[i] = made[row, : int(lengths[row]) * options.upsample].clone()
    return frames


def main() -> None:
    parser = student_arguments(__doc__)
    parser.add_argument("--intermediate", type=float, default=0.0,
                        help="weight of a second loss on the frames before --intermediate-layers more layers")
    parser.add_argument("--intermediate-layers", type=int, default=2)
    parser.add_argument("--upsample", type=int, default=2)
    parser.add_argument("--source-layers", type=int, default=2)
    parser.add_argument("--frame-layers", type=int, default=2)
    parser.add_argument("--feed-forward", type=int, default=512)
    parser.add_argument("--encoder-layers", type=int, help="read the encoder after so many layers, 0 for its embeddings; default: all")
    parser.add_argument("--imitate", type=Path, help="weights folder of a CTC student whose frames to come close to; the head "
                        "of --start-from, which must be that student's, then stays as it is")
    parser.add_argument("--imitate-weight", type=float, default=0.1, help="weight of the squared distance to its frames")
    options = parser.parse_args()
    data = StudentData(options)
    if options.imitate and (options.encode_anew or not options.start_from):
        parser.error("--imitate needs --start-from, whose head the student keeps, and states that are kept")
    imitated = frames_to_imitate(options, data)
    encoder = list(data.teacher.encoder)
    # Layers that the student to continue from lacks are added.
    start = load_ctc_folder(options.start_from, data.teacher.shape, cut=True) if options.start_from else None
    if options.encoder_layers is None and start:
        options.encoder_layers = start.encoder_layers
    if options.encoder_layers is not None:
        data.cut_encoder(options.encoder_layers)
    token_ids = start.token_ids if start else data.tokens()
    head_index = {int(t): i for i, t in enumerate(token_ids)}
    # A continued student keeps its head: what that cannot say is left out of its targets.
    labels = [[head_index[i] for i in row if i in head_index] for row in data.target]
    student = CtcStudent(data.teacher.shape, token_ids, options.upsample, options.source_layers, options.frame_layers,
                         options.feed_forward, options.encoder_layers)
    if imitated:
        student.head.requires_grad_(False)
        student.head_bias.requires_grad_(False)
    if start:
        student.continue_from(start)
        if options.encoder_layers != start.encoder_layers:
            # The encoder's next layers take the place of its last ones; before the upsampling the other student's stays.
            for layer, other in zip(student.source_layers[:-1], encoder[options.encoder_layers :]):
                widened(layer, other)
    else:
        with torch.no_grad():
            student.head[:-1] = data.teacher.shared.weight[token_ids]

    def frames(i: int) -> int:
        return options.upsample * len(data.states[i])

    def fits(i: int) -> bool:
        repeats = sum(a == b for a, b in zip(labels[i], labels[i][1:]))
        return 0 < len(labels[i]) + repeats <= frames(i)

    def loss_of(group: list[int], drop: DropoutPool, progress: float, _: random.Random) -> Tensor:
        padded, mask, lengths = data.stacked(group)
        exits = [x.float() for x in student.exits(padded, mask, drop)]
        distance = exits[-1].new_zeros(())
        if imitated:
            wanted_frames = pad_sequence([imitated[i] for i in group], batch_first=True).float()
            valid = torch.arange(wanted_frames.shape[1])[None, :] < (lengths * options.upsample)[:, None]
            distance = options.imitate_weight * (exits[-1][valid] - wanted_frames[valid]).square().sum(dim=-1).mean()
        wanted = pad([labels[i] for i in group], 0), torch.tensor([len(labels[i]) for i in group]), lengths * options.upsample
        with torch.autocast("cpu", enabled=False):
            loss = CtcLoss.apply(exits[-1], student.head, student.head_bias, *wanted)
            if options.intermediate > 0:
                # Deep supervision (Lee & Watanabe, 2021): the same head on an earlier layer, in training only.
                early = CtcLoss.apply(exits[-1 - options.intermediate_layers], student.head, student.head_bias, *wanted)
                loss = (1 - options.intermediate) * loss + options.intermediate * early
        return loss + distance

    def scores_of() -> dict[str, float]:
        return data.scores(best_path(student, data.val_states))

    def save(folder: Path) -> None:
        draft_layers = options.frame_layers - options.intermediate_layers if options.intermediate > 0 else None
        save_ctc_folder(folder, student, data.tokenizer, draft_layers)

    usable = [i for i in range(len(labels)) if fits(i)]
    run(options, data, student, usable, lambda i: len(labels[i]), loss_of, scores_of, save)


if __name__ == "__main__":
    main()
