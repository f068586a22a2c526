"""Trains a model that corrects text, from a file of good lines alone. Resumable at any moment: run it again.

    python train_corrector.py --text english/train.txt --val english/val.txt --language en --refuse naughty-words/en.json --out runs/corrector

The noise is made anew every epoch (`distill/correction`). `--language` names the tables of a language; `none` makes only
noise that needs none. A run may be continued with more `--steps`; the rate falls over the last ones.
"""
from __future__ import annotations

import argparse
import json
import random
import signal
import time
from pathlib import Path

import torch
from tokenizers import Tokenizer

from distill.checkpoint import Averaged, save_marian_folder, save_state
from distill.correction.corrector import corrector
from distill.correction.lines import good_lines, read_refused
from distill.correction.noise import Noise
from distill.correction.options import check_shape, text_arguments, training_arguments
from distill.correction.shards import Shards
from distill.correction.tables import Words, load_tables
from distill.correction.tokens import train_byte_tokenizer
from distill.correction.validation import Validation
from distill.data import batches
from distill.model import DropoutPool, Marian, MarianShape
from distill.optimizers import matrix_optimizers
from distill.teacher_loss import teacher_loss


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    text_arguments(parser)
    parser.add_argument("--val", type=Path, required=True, help="good lines to validate on")
    parser.add_argument("--out", type=Path, required=True)
    training_arguments(parser)
    parser.add_argument("--cooldown", type=float, default=0.3, help="share of the steps over which the rate falls")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--warmup", type=int, help="steps; default: 400, or a fifth of all where that is less")
    parser.add_argument("--dropout", type=float, default=0.03)
    parser.add_argument("--smoothing", type=float, default=0.0)
    parser.add_argument("--batch-tokens", type=int, default=4000)
    parser.add_argument("--average", type=float, default=0.002)
    parser.add_argument("--save-seconds", type=float, default=120)
    parser.add_argument("--validate-every", type=int, default=1000, help="steps")
    parser.add_argument("--validation-lines", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    check_shape(parser, options)
    options.warmup = options.warmup or min(400, max(1, options.steps // 5))
    return options


def steady_until(options: argparse.Namespace) -> int:
    """The step from which the rate falls. What is learnt until then is kept apart, to go on from with more steps."""
    return int(options.steps * (1 - options.cooldown))


def rate_at(step: int, options: argparse.Namespace) -> float:
    """Linear warm-up, constant, then linear down to a fiftieth."""
    falling = max(1, options.steps - steady_until(options))
    return options.rate * min(1.0, (step + 1) / options.warmup, max(0.02, (options.steps - step) / falling))


def main() -> None:
    options = arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    refused = read_refused(options.refuse)
    lines = good_lines(options.text, refused)
    tokenizer_path = options.out / "tokenizer.json"
    if not tokenizer_path.exists():
        train_byte_tokenizer(lines, options.vocabulary_size).save(str(tokenizer_path))
    tokenizer = Tokenizer.from_file(str(tokenizer_path))
    words, tables = Words(lines), load_tables(options.language)
    practice = Noise(tables, words, set(refused), options.copies, practice=True)
    shards = Shards(lines, practice, tokenizer, options.seed)
    validation = Validation(good_lines(options.val, refused)[: options.validation_lines], Noise(tables, words, set(refused)))
    model = Marian(MarianShape(tokenizer.get_vocab_size(), options.width, options.heads, options.feed_forward,
                               options.encoder_layers, options.decoder_layers))
    optimizers = matrix_optimizers(model, options.rate)
    averaged = Averaged(model, options.average)
    step = shard = index = 0
    state_path = options.out / "state.pt"
    if state_path.exists():
        state = torch.load(state_path, weights_only=True)
        model.load_state_dict(state["model"])
        for optimizer, saved in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        for value, saved in zip(averaged.values, state["averaged"], strict=True):
            value.copy_(saved)
        step, shard, index = state["step"], state["shard"], state["index"]
        print(f"resumed at step {step}", flush=True)

    def save(path: Path = state_path) -> None:
        save_state(path, model=model.state_dict(), optimizers=[o.state_dict() for o in optimizers],
                   averaged=averaged.values, step=step, shard=shard, index=index)

    def report(loss: float, seconds: float) -> None:
        """Figures and a folder of the averaged weights."""
        averaged.swap()
        record = {"step": step, "epoch": round(shard / shards.count, 2), "loss": round(loss, 4), "seconds": round(seconds, 1),
                  **validation.figures(corrector(model.eval(), tokenizer))}
        save_marian_folder(options.out / "model", model, tokenizer)
        averaged.swap()
        model.train()
        with (options.out / "log.jsonl").open("a") as log:
            log.write(json.dumps(record) + "\n")
        print(json.dumps(record), flush=True)

    # A polite end keeps everything; a rude one loses what came after the last checkpoint.
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopped.append(number))
    began = saved = time.time()
    losses: list[float] = []
    drop = DropoutPool(options.dropout, seed=options.seed * 1000 + step)
    model.train()
    while step < options.steps and not stopped:
        source, target = shards[shard]
        lengths = [(len(s), len(t)) for s, t in zip(source, target, strict=True)]
        groups = list(batches(lengths, options.batch_tokens, random.Random(f"{options.seed} order {shard}")))
        while index < len(groups) and step < options.steps and not stopped:
            group = groups[index]
            if step == steady_until(options):
                save(options.out / "steady.pt")
            for optimizer in optimizers:
                for parameters in optimizer.param_groups:
                    parameters["lr"] = rate_at(step, options)
            loss = teacher_loss(model, [source[i] for i in group], [target[i] for i in group], options.smoothing, drop)
            for optimizer in optimizers:
                optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            for optimizer in optimizers:
                optimizer.step()
            averaged.update(step)
            losses.append(float(loss.detach()))
            step, index = step + 1, index + 1
            if step % 50 == 0:
                print(f"step {step}/{options.steps} shard {shard} loss {sum(losses[-50:]) / len(losses[-50:]):.3f} "
                      f"{time.time() - began:.0f} s", flush=True)
            if time.time() - saved > options.save_seconds:
                save()
                saved = time.time()
            if step % options.validate_every == 0 or step == options.steps:
                report(sum(losses) / len(losses), time.time() - began)
                losses.clear()
        if index >= len(groups):
            shard, index = shard + 1, 0
    save()


if __name__ == "__main__":
    main()
