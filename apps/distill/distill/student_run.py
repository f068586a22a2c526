"""What the recipes of all students share: data, encoder states, the loop with its schedule, averaging, and checkpoints."""
from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Iterable, Sequence, Sized
from pathlib import Path
from typing import Protocol

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from .checkpoint import Averaged, load_marian_folder, save_state
from .data import END, PAD, batches, encode, pad, read_lines
from .drafts import read_drafts
from .model import DropoutPool, Marian
from .reference_decoder import bleu


def student_arguments(description: str, drafts: bool = False) -> argparse.ArgumentParser:
    """Options of a student's recipe; with `drafts` also those of a student that may read drafts."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--teacher", type=Path, required=True)
    parser.add_argument("--source", type=Path, help="source lines instead of train.en")
    parser.add_argument("--targets", type=Path, help="distilled targets written by distil.py; default: the references")
    parser.add_argument("--start-from", type=Path, help="weights folder to continue from")
    if drafts:
        parser.add_argument("--drafts", type=Path, help="folder of make_drafts.py for the source lines, which the student reads")
        parser.add_argument("--val-drafts", type=Path, help="such a folder for the validation set")
        parser.add_argument("--best-path", type=float, default=0.25, help="share of drafts that are best paths, not searched")
    run_arguments(parser)
    return parser


def run_arguments(parser: argparse.ArgumentParser, **defaults: object) -> None:
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--warmup", type=int, default=400)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--batch-tokens", type=int, default=1500)
    parser.add_argument("--average", type=float, default=0.003)
    parser.add_argument("--validate-every", type=int, default=1)
    parser.add_argument("--sentences", type=int, default=0, help="pairs an epoch, drawn anew each time; default: all")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.set_defaults(**defaults)


@torch.no_grad()
def encoder_states(teacher: Marian, source: list[list[int]]) -> list[Tensor]:
    """The frozen encoder never changes, so its states are computed once."""
    still = DropoutPool(0.0, 0, 1)
    states: list[Tensor | None] = [None] * len(source)
    order = sorted(range(len(source)), key=lambda i: len(source[i]))
    for start in range(0, len(order), 64):
        group = order[start : start + 64]
        batch = pad([source[i] for i in group])
        encoded = teacher.encode(batch, (batch != PAD)[:, None, None, :], still)
        for row, i in enumerate(group):
            states[i] = encoded[row, : len(source[i])].clone()
    return states


def chosen(drafts: list[Tensor] | None, rows: list[int]) -> list[Tensor] | None:
    return None if drafts is None else [drafts[i] for i in rows]


def stack(states: list[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """Padded states, their attention mask `[batch, 1, 1, source]`, and their lengths."""
    lengths = torch.tensor([len(s) for s in states])
    padded = torch.nn.utils.rnn.pad_sequence(states, batch_first=True)
    mask = torch.arange(padded.shape[1])[None, :] < lengths[:, None]
    return padded, mask[:, None, None, :], lengths


class Pairs(Protocol):
    """What the loop must know of the training data: how many source positions each pair has."""

    states: Sequence[Sized]


class StudentData:
    """Training pairs as encoder states and target token ids (no end token), and the validation set."""

    def __init__(self, options: argparse.Namespace) -> None:
        torch.manual_seed(options.seed)
        torch.set_num_threads(options.threads)
        self.tokenizer = Tokenizer.from_file(str(options.teacher / "tokenizer.json"))
        self.teacher = load_marian_folder(options.teacher).eval()
        source = encode(self.tokenizer, read_lines(options.source or options.data / "train.en"), 120)
        if options.targets:
            self.target: list[list[int]] = json.loads(options.targets.read_text())
        else:
            self.target = [row[:-1] for row in encode(self.tokenizer, read_lines(options.data / "train.de"), 120)]
        assert len(self.target) == len(source), "as many targets as sources"
        self.sources = source, encode(self.tokenizer, read_lines(options.data / "val.en"), 120)
        self.states, self.val_states = (encoder_states(self.teacher, side) for side in self.sources)
        self.drafts: list[Tensor] | None = None
        self.val_drafts: list[Tensor] | None = None
        if getattr(options, "drafts", None):
            assert options.val_drafts, "--drafts needs --val-drafts"
            self.drafts = read_drafts(options.drafts, self.teacher, options.best_path)
            self.val_drafts = read_drafts(options.val_drafts, self.teacher)
            assert (len(self.drafts), len(self.val_drafts)) == (len(source), len(self.val_states)), "a draft for each source"
        self.val_lines = read_lines(options.data / "val.de")
        self.start_token = self.teacher.shape.vocabulary_size - 1

    def cut_encoder(self, layers: int) -> None:
        """Puts the states after the encoder's first `layers` in the place of its last ones."""
        if layers < len(self.teacher.encoder):
            self.teacher.encoder = self.teacher.encoder[:layers]
            self.states, self.val_states = (encoder_states(self.teacher, side) for side in self.sources)

    def tokens(self, *others: int) -> Tensor:
        """Every token of the targets, and `others`."""
        return torch.tensor(sorted({i for row in self.target for i in row} | set(others)))

    def bleu(self, outputs: list[list[int]]) -> float:
        return round(bleu(self.tokenizer, outputs, self.val_lines), 2)


def run(options: argparse.Namespace, data: Pairs, student: nn.Module, usable: list[int], frames: Callable[[int], int],
        loss_of: Callable[[list[int], DropoutPool, float, random.Random], Tensor],
        scores_of: Callable[[], dict[str, float]], save: Callable[[Path], None]) -> None:
    """Trains until `options.epochs`; resumable. `frames(i)` is how many positions pair i takes in a batch; `loss_of` gets pairs,
    dropout, progress in `[0, 1]` and a source of randomness."""
    from train_teacher import rate_at

    options.out.mkdir(parents=True, exist_ok=True)
    trained = [p for p in student.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=options.rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
    averaged = Averaged(student, options.average)
    state_path = options.out / "state.pt"
    epoch = 0
    if state_path.exists():
        state = torch.load(state_path, weights_only=True)
        student.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        for value, saved in zip(averaged.values, state["averaged"], strict=True):
            value.copy_(saved)
        epoch = state["epoch"]
        print(f"resumed after epoch {epoch}", flush=True)

    def groups_of(number: int) -> list[list[int]]:
        order = random.Random(options.seed * 7919 + number)
        chosen = order.sample(usable, options.sentences) if 0 < options.sentences < len(usable) else usable
        lengths = [(len(data.states[i]), frames(i)) for i in chosen]
        return [[chosen[j] for j in group] for group in batches(lengths, options.batch_tokens, order)]

    steps_an_epoch = len(groups_of(0))
    total = steps_an_epoch * options.epochs
    print(f"{len(usable)} pairs, {steps_an_epoch} batches an epoch, "
          f"{sum(p.numel() for p in trained)} parameters", flush=True)
    while epoch < options.epochs:
        drop = DropoutPool(options.dropout, seed=options.seed * 1000 + epoch)
        order = random.Random(options.seed * 104729 + epoch)
        student.train()
        began, loss_sum, groups = time.time(), 0.0, groups_of(epoch)
        for index, group in enumerate(groups):
            step = epoch * steps_an_epoch + index
            for parameters in optimizer.param_groups:
                parameters["lr"] = rate_at(step, total, options.rate, options.warmup)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                loss = loss_of(group, drop, step / total, order)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            optimizer.step()
            averaged.update(step)
            value = float(loss.detach())
            loss_sum += value
            if index % 50 == 0:
                print(f"epoch {epoch + 1}/{options.epochs} batch {index}/{len(groups)} loss {value:.3f} "
                      f"{time.time() - began:.0f} s", flush=True)
        epoch += 1
        record: dict[str, float] = {"epoch": epoch, "loss": round(loss_sum / len(groups), 4),
                                    "seconds": round(time.time() - began, 1)}
        averaged.swap()
        student.eval()
        if epoch % options.validate_every == 0 or epoch == options.epochs:
            with torch.no_grad():
                record |= scores_of()
        save(options.out / "model")
        averaged.swap()
        save_state(state_path, model=student.state_dict(), optimizer=optimizer.state_dict(), averaged=averaged.values,
                   epoch=epoch)
        with (options.out / "log.jsonl").open("a") as log:
            log.write(json.dumps(record) + "\n")
        print(json.dumps(record), flush=True)


def in_groups(states: list[Tensor], size: int = 64) -> Iterable[tuple[list[int], Tensor, Tensor, Tensor]]:
    """Row indices with their stacked states, similar lengths together."""
    order = sorted(range(len(states)), key=lambda i: len(states[i]))
    for start in range(0, len(order), size):
        rows = order[start : start + size]
        yield rows, *stack([states[i] for i in rows])
