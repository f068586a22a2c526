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
from .correction.scores import Triple, edit_scores, restored
from .data import END, PAD, batches, encode, pad, read_lines
from .hints import read_hints
from .model import DropoutPool, Marian
from .optimizers import adamw, matrix_optimizers
from .reference_decoder import bleu


def student_arguments(description: str, hints: bool = False) -> argparse.ArgumentParser:
    """Options of a student's recipe; with `hints` also those of a student that may read hints."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--teacher", type=Path, required=True)
    parser.add_argument("--sides", nargs=2, default=["en", "de"], help="endings of the files in --data: source, target")
    parser.add_argument("--source", type=Path, help="source lines instead of train.en, or their token ids in a .json")
    parser.add_argument("--targets", type=Path, help="distilled targets written by distil.py; default: the references")
    parser.add_argument("--encode-anew", action="store_true",
                        help="encode every batch when it is used: slower, but the states of all sources need not fit into memory")
    parser.add_argument("--edits", action="store_true", help="source and target are one language: score the edits too")
    parser.add_argument("--start-from", type=Path, help="weights folder to continue from")
    if hints:
        parser.add_argument("--hints", type=Path, help="folder of make_hints.py for the source lines, which the student reads")
        parser.add_argument("--val-hints", type=Path, help="such a folder for the validation set")
        parser.add_argument("--best-path", type=float, default=0.25, help="share of hints that are best paths, not searched")
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
    parser.add_argument("--muon", action="store_true", help="matrices by Muon; it takes a third of the steps")
    parser.add_argument("--save-seconds", type=float, default=150)
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


def chosen(hints: list[Tensor] | None, rows: list[int]) -> list[Tensor] | None:
    return None if hints is None else [hints[i] for i in rows]


def stack(states: list[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """Padded states, their attention mask `[batch, 1, 1, source]`, and their lengths."""
    lengths = torch.tensor([len(s) for s in states])
    padded = torch.nn.utils.rnn.pad_sequence(states, batch_first=True)
    mask = torch.arange(padded.shape[1])[None, :] < lengths[:, None]
    return padded, mask[:, None, None, :], lengths


def read_rows(path: Path, tokenizer: Tokenizer, longest: int = 120) -> list[list[int]]:
    """Token ids with the end token: of lines of text, or as a .json holds them."""
    if path.suffix == ".json":
        return json.loads(path.read_text())
    return encode(tokenizer, read_lines(path), longest)


class Pairs(Protocol):
    """What the loop must know of the training data: how many source positions each pair has."""

    states: Sequence[Sized]


class StudentData:
    """Training pairs as encoder states and target token ids (no end token), and the validation set.

    With `--encode-anew` the training sources' token ids stand in for their states, which `stacked` makes.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        torch.manual_seed(options.seed)
        torch.set_num_threads(options.threads)
        self.tokenizer = Tokenizer.from_file(str(options.teacher / "tokenizer.json"))
        self.teacher = load_marian_folder(options.teacher).eval()
        source_side, target_side = options.sides
        source = read_rows(options.source or options.data / f"train.{source_side}", self.tokenizer)
        if options.targets:
            self.target: list[list[int]] = json.loads(options.targets.read_text())
        else:
            self.target = [row[:-1] for row in encode(self.tokenizer, read_lines(options.data / f"train.{target_side}"), 120)]
        assert len(self.target) == len(source), "as many targets as sources"
        self.sources = source, encode(self.tokenizer, read_lines(options.data / f"val.{source_side}"), 120)
        self.anew, self.edits = options.encode_anew, options.edits
        self.states: Sequence[Sized] = source if self.anew else encoder_states(self.teacher, source)
        self.val_states = encoder_states(self.teacher, self.sources[1])
        self.hints: list[Tensor] | None = None
        self.val_hints: list[Tensor] | None = None
        if getattr(options, "hints", None):
            assert options.val_hints, "--hints needs --val-hints"
            self.hints = read_hints(options.hints, self.teacher, options.best_path)
            self.val_hints = read_hints(options.val_hints, self.teacher)
            assert (len(self.hints), len(self.val_hints)) == (len(source), len(self.val_states)), "a hint for each source"
        self.val_lines = read_lines(options.data / f"val.{target_side}")
        self.start_token = self.teacher.shape.vocabulary_size - 1

    def cut_encoder(self, layers: int) -> None:
        """Puts the states after the encoder's first `layers` in the place of its last ones."""
        if layers < len(self.teacher.encoder):
            self.teacher.encoder = self.teacher.encoder[:layers]
            if not self.anew:
                self.states = encoder_states(self.teacher, self.sources[0])
            self.val_states = encoder_states(self.teacher, self.sources[1])

    def stacked(self, group: list[int]) -> tuple[Tensor, Tensor, Tensor]:
        """The training states of some pairs, as `stack` gives them."""
        if not self.anew:
            return stack([self.states[i] for i in group])
        with torch.no_grad():
            batch = pad([self.sources[0][i] for i in group])
            mask = (batch != PAD)[:, None, None, :]
            return self.teacher.encode(batch, mask, DropoutPool(0.0, 0, 1)), mask, mask.sum(dim=(1, 2, 3))

    def tokens(self, *others: int) -> Tensor:
        """Every token of the targets, and `others`."""
        return torch.tensor(sorted({i for row in self.target for i in row} | set(others)))

    def bleu(self, outputs: list[list[int]]) -> float:
        return round(bleu(self.tokenizer, outputs, self.val_lines), 2)

    def scores(self, outputs: list[list[int]]) -> dict[str, float]:
        """BLEU of outputs for the validation sources, and with `--edits` how good the edits are."""
        scores = {"valBleu": self.bleu(outputs)}
        if self.edits:
            sources = self.tokenizer.decode_batch([row[:-1] for row in self.sources[1]])
            texts = self.tokenizer.decode_batch(outputs)
            triples = [Triple(*texts) for texts in zip(sources, self.val_lines, texts, strict=True)]
            scores |= {name: round(value, 4) for name, value in (*edit_scores(triples).items(), ("restored", restored(triples)))}
        return scores


def run(options: argparse.Namespace, data: Pairs, student: nn.Module, usable: list[int], frames: Callable[[int], int],
        loss_of: Callable[[list[int], DropoutPool, float, random.Random], Tensor],
        scores_of: Callable[[], dict[str, float]], save: Callable[[Path], None]) -> None:
    """Trains until `options.epochs`; resumable. `frames(i)` is how many positions pair i takes in a batch; `loss_of` gets pairs,
    dropout, progress in `[0, 1]` and a source of randomness."""
    from train_teacher import rate_at

    options.out.mkdir(parents=True, exist_ok=True)
    trained = [p for p in student.parameters() if p.requires_grad]
    optimizers = matrix_optimizers(student, options.rate) if options.muon else [adamw(trained, options.rate)]
    averaged = Averaged(student, options.average)
    state_path = options.out / "state.pt"
    epoch = done = 0
    if state_path.exists():
        state = torch.load(state_path, weights_only=True)
        student.load_state_dict(state["model"])
        for optimizer, saved in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        for value, saved in zip(averaged.values, state["averaged"], strict=True):
            value.copy_(saved)
        epoch, done = state["epoch"], state["done"]
        print(f"resumed after epoch {epoch} and {done} batches", flush=True)

    def save_run() -> None:
        save_state(state_path, model=student.state_dict(), optimizers=[o.state_dict() for o in optimizers],
                   averaged=averaged.values, epoch=epoch, done=done)

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
        drop = DropoutPool(options.dropout, seed=options.seed * 1000 + epoch + done * 1009)
        order = random.Random(options.seed * 104729 + epoch + done * 1009)
        student.train()
        began, loss_sum, groups, first = time.time(), 0.0, groups_of(epoch), done
        saved_at = began
        for index, group in enumerate(groups[first:], first):
            step = epoch * steps_an_epoch + index
            for optimizer in optimizers:
                for parameters in optimizer.param_groups:
                    parameters["lr"] = rate_at(step, total, options.rate, options.warmup)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                loss = loss_of(group, drop, step / total, order)
            for optimizer in optimizers:
                optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            for optimizer in optimizers:
                optimizer.step()
            averaged.update(step)
            value = float(loss.detach())
            loss_sum += value
            done = index + 1
            if time.time() - saved_at > options.save_seconds:
                save_run()
                saved_at = time.time()
            if index % 50 == 0:
                print(f"epoch {epoch + 1}/{options.epochs} batch {index}/{len(groups)} loss {value:.3f} "
                      f"{time.time() - began:.0f} s", flush=True)
        count = max(1, len(groups) - first)
        epoch, done = epoch + 1, 0
        record: dict[str, float] = {"epoch": epoch, "loss": round(loss_sum / count, 4),
                                    "seconds": round(time.time() - began, 1)}
        averaged.swap()
        student.eval()
        if epoch % options.validate_every == 0 or epoch == options.epochs:
            with torch.no_grad():
                record |= scores_of()
        save(options.out / "model")
        averaged.swap()
        save_run()
        with (options.out / "log.jsonl").open("a") as log:
            log.write(json.dumps(record) + "\n")
        print(json.dumps(record), flush=True)


def in_groups(states: list[Tensor], size: int = 64) -> Iterable[tuple[list[int], Tensor, Tensor, Tensor]]:
    """Row indices with their stacked states, similar lengths together."""
    order = sorted(range(len(states)), key=lambda i: len(states[i]))
    for start in range(0, len(order), size):
        rows = order[start : start + size]
        yield rows, *stack([states[i] for i in rows])
