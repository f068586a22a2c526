"""Trains the CTC student on the frozen encoder of the teacher, on distilled targets. Resumable: run it again.

    python train_ctc.py --data DATA --teacher runs/sharpened/model --targets runs/sharpened/train.greedy.json \
        --out runs/ctc
"""
from __future__ import annotations

import argparse
import json
import random
import time
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor

from distill.checkpoint import Averaged, load_ctc_folder, load_marian_folder, save_ctc_folder, save_state
from distill.data import PAD, batches, encode, pad, read_lines
from distill.losses import CtcLoss
from distill.model import CtcStudent, DropoutPool, Marian
from distill.reference_decoder import bleu
from train_teacher import rate_at


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--teacher", type=Path, required=True)
    parser.add_argument("--source", type=Path, help="source lines instead of train.en")
    parser.add_argument("--targets", type=Path, required=True, help="distilled targets written by distil.py")
    parser.add_argument("--start-from", type=Path,
                        help="run folder of a student of this encoder to continue from; layers it lacks are added")
    parser.add_argument("--intermediate", type=float, default=0.0,
                        help="weight of a second loss on the frames before --intermediate-layers more layers")
    parser.add_argument("--intermediate-layers", type=int, default=2)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--warmup", type=int, default=600)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--upsample", type=int, default=2)
    parser.add_argument("--source-layers", type=int, default=2)
    parser.add_argument("--frame-layers", type=int, default=2)
    parser.add_argument("--feed-forward", type=int, default=512)
    parser.add_argument("--batch-tokens", type=int, default=1200)
    parser.add_argument("--average", type=float, default=0.003)
    parser.add_argument("--validate-every", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


@torch.no_grad()
def encoder_states(teacher: Marian, source: list[list[int]], drop: DropoutPool) -> list[Tensor]:
    """The frozen encoder never changes, so its states are computed once."""
    states: list[Tensor | None] = [None] * len(source)
    order = sorted(range(len(source)), key=lambda i: len(source[i]))
    for start in range(0, len(order), 64):
        group = order[start : start + 64]
        batch = pad([source[i] for i in group])
        encoded = teacher.encode(batch, (batch != PAD)[:, None, None, :], drop)
        for row, i in enumerate(group):
            states[i] = encoded[row, : len(source[i])].clone()
    return states


def stack(states: list[Tensor], upsample: int) -> tuple[Tensor, Tensor, Tensor]:
    lengths = torch.tensor([len(s) for s in states])
    padded = torch.nn.utils.rnn.pad_sequence(states, batch_first=True)
    mask = torch.arange(padded.shape[1])[None, :] < lengths[:, None]
    return padded, mask[:, None, None, :], lengths * upsample


@torch.no_grad()
def decode(student: CtcStudent, states: list[Tensor], drop: DropoutPool) -> list[list[int]]:
    """Best path: argmax of every frame, repeats collapsed, blanks dropped."""
    blank = len(student.token_ids)
    token_ids = student.token_ids.tolist()
    output: list[list[int]] = []
    for start in range(0, len(states), 64):
        padded, mask, frames = stack(states[start : start + 64], student.upsample)
        best = (student(padded, mask, drop) @ student.head.t() + student.head_bias).argmax(dim=-1)
        for row, count in enumerate(frames.tolist()):
            collapsed = best[row, :count].unique_consecutive().tolist()
            output.append([token_ids[i] for i in collapsed if i != blank])
    return output


def main() -> None:
    options = arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(options.seed)
    tokenizer = Tokenizer.from_file(str(options.teacher / "tokenizer.json"))
    teacher = load_marian_folder(options.teacher).eval()
    still = DropoutPool(0.0, 0, 1)
    source = encode(tokenizer, read_lines(options.source or options.data / "train.en"), 120)
    target: list[list[int]] = json.loads(options.targets.read_text())
    start = load_ctc_folder(options.start_from / "model", teacher.shape) if options.start_from else None
    token_ids = start.token_ids if start else torch.tensor(sorted({i for row in target for i in row}))
    head_index = {int(t): i for i, t in enumerate(token_ids)}
    # A continued student keeps its head: what that cannot say is left out of its targets.
    labels = [[head_index[i] for i in row if i in head_index] for row in target]
    states = encoder_states(teacher, source, still)
    val_states = encoder_states(teacher, encode(tokenizer, read_lines(options.data / "val.en"), 120), still)
    val_lines = read_lines(options.data / "val.de")

    def fits(i: int) -> bool:
        repeats = sum(a == b for a, b in zip(labels[i], labels[i][1:]))
        return 0 < len(labels[i]) + repeats <= options.upsample * len(source[i])

    usable = [i for i in range(len(source)) if fits(i)]
    print(f"{len(usable)} of {len(source)} pairs fit their frames; head of {len(token_ids)} tokens and the blank", flush=True)
    lengths = [(len(source[i]), len(labels[i])) for i in usable]
    steps_an_epoch = sum(1 for _ in batches(lengths, options.batch_tokens, random.Random(0)))
    total = steps_an_epoch * options.epochs

    student = CtcStudent(teacher.shape, token_ids, options.upsample, options.source_layers, options.frame_layers,
                         options.feed_forward)
    if start:
        student.continue_from(start)
    else:
        with torch.no_grad():
            student.head[:-1] = teacher.shared.weight[token_ids]
    optimizer = torch.optim.AdamW(student.parameters(), lr=options.rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
    averaged = Averaged(student, options.average)
    epoch = 0
    state_path = options.out / "state.pt"
    if state_path.exists():
        state = torch.load(state_path, weights_only=True)
        student.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        for value, saved in zip(averaged.values, state["averaged"], strict=True):
            value.copy_(saved)
        epoch = state["epoch"]
        print(f"resumed after epoch {epoch}", flush=True)

    while epoch < options.epochs:
        drop = DropoutPool(options.dropout, seed=options.seed * 1000 + epoch)
        began, loss_sum, count = time.time(), 0.0, 0
        for index, group in enumerate(batches(lengths, options.batch_tokens, random.Random(options.seed * 7919 + epoch))):
            step = epoch * steps_an_epoch + index
            for parameters in optimizer.param_groups:
                parameters["lr"] = rate_at(step, total, options.rate, options.warmup)
            rows = [usable[i] for i in group]
            padded, mask, frames = stack([states[i] for i in rows], options.upsample)
            exits = student.exits(padded, mask, drop)
            wanted = pad([labels[i] for i in rows], 0), torch.tensor([len(labels[i]) for i in rows]), frames
            loss = CtcLoss.apply(exits[-1], student.head, student.head_bias, *wanted)
            if options.intermediate > 0:
                # Deep supervision (Lee & Watanabe, 2021): the same head on an earlier layer, in training only.
                early = CtcLoss.apply(exits[-1 - options.intermediate_layers], student.head, student.head_bias, *wanted)
                loss = (1 - options.intermediate) * loss + options.intermediate * early
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
            optimizer.step()
            averaged.update(step)
            value = float(loss.detach())
            loss_sum, count = loss_sum + value, count + 1
            if index % 50 == 0:
                print(f"epoch {epoch + 1}/{options.epochs} batch {index}/{steps_an_epoch} loss {value:.3f} "
                      f"{time.time() - began:.0f} s", flush=True)
        epoch += 1
        record = {"epoch": epoch, "loss": round(loss_sum / count, 4), "seconds": round(time.time() - began, 1)}
        averaged.swap()
        if epoch % options.validate_every == 0 or epoch == options.epochs:
            record["valBleu"] = round(bleu(tokenizer, decode(student, val_states, still), val_lines), 2)
        draft_layers = options.frame_layers - options.intermediate_layers if options.intermediate > 0 else None
        save_ctc_folder(options.out / "model", student, tokenizer, draft_layers)
        averaged.swap()
        save_state(state_path, model=student.state_dict(), optimizer=optimizer.state_dict(), averaged=averaged.values,
                   epoch=epoch)
        with (options.out / "log.jsonl").open("a") as log:
            log.write(json.dumps(record) + "\n")
        print(json.dumps(record), flush=True)


if __name__ == "__main__":
    main()
