"""Trains (or, with --targets and --start-from, sharpens) the autoregressive teacher. Resumable: run it again.

    python train_teacher.py --data DATA --out runs/teacher
    python train_teacher.py --data DATA --out runs/sharpened --start-from runs/teacher/model \
        --targets runs/teacher/train.beam5.json --epochs 5 --rate 8e-4 --dropout 0.05 --warmup 100
"""
from __future__ import annotations

import argparse
import json
import math
import random
import time
from pathlib import Path

import torch
from tokenizers import Tokenizer

from distill.checkpoint import Averaged, load_marian_folder, save_marian_folder, save_state
from distill.data import END, batches, encode, read_lines, train_tokenizer
from distill.model import DropoutPool, Marian, MarianShape
from distill.optimizers import adamw
from distill.reference_decoder import bleu, load_translator, translate
from distill.teacher_loss import teacher_loss


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with train.en, train.de, val.en, val.de")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--start-from", type=Path, help="weights folder to continue from (its tokenizer is used)")
    parser.add_argument("--source", type=Path, help="source lines instead of train.en; goes with --targets")
    parser.add_argument("--targets", type=Path, help="distilled targets written by distil.py")
    parser.add_argument("--freeze-encoder", action="store_true",
                        help="train the decoder only, so that students of this encoder stay valid")
    parser.add_argument("--encoder-layers", type=int, help="default: as in --start-from, or else 4")
    parser.add_argument("--decoder-layers", type=int, help="likewise; layers beyond those of --start-from begin as its last")
    parser.add_argument("--vocabulary-size", type=int, default=6000)
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--warmup", type=int, default=600)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--smoothing", type=float, default=0.1)
    parser.add_argument("--batch-tokens", type=int, default=1800)
    parser.add_argument("--average", type=float, default=0.003)
    parser.add_argument("--validate-every", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def rate_at(step: int, total: int, peak: float, warmup: int) -> float:
    """Linear warm-up, then a half cosine down to a twentieth of the peak."""
    if step < warmup:
        return peak * (step + 1) / warmup
    progress = (step - warmup) / max(1, total - warmup)
    return peak * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))


def main() -> None:
    options = arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    log_path = options.out / "log.jsonl"
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)

    source_lines, target_lines = read_lines(options.data / "train.en"), read_lines(options.data / "train.de")
    if options.start_from:
        tokenizer = Tokenizer.from_file(str(options.start_from / "tokenizer.json"))
        model = load_marian_folder(options.start_from)
        encoder, decoder = options.encoder_layers, options.decoder_layers
        if encoder or decoder:
            model = model.reshaped(encoder or model.shape.encoder_layers, decoder or model.shape.decoder_layers)
    else:
        tokenizer = train_tokenizer(source_lines + target_lines, options.vocabulary_size)
        model = Marian(MarianShape(tokenizer.get_vocab_size(), encoder_layers=options.encoder_layers or 4,
                                   decoder_layers=options.decoder_layers or 4))
    if options.source:
        source_lines = read_lines(options.source)
    source = encode(tokenizer, source_lines, 120)
    if not options.targets:
        target = encode(tokenizer, target_lines, 120)
    else:
        target = [row + [END] for row in json.loads(options.targets.read_text())]
    val_source = encode(tokenizer, read_lines(options.data / "val.en"), 120)
    val_lines = read_lines(options.data / "val.de")
    lengths = [(len(s), len(t)) for s, t in zip(source, target, strict=True)]
    steps_an_epoch = sum(1 for _ in batches(lengths, options.batch_tokens, random.Random(0)))
    total = steps_an_epoch * options.epochs

    if options.freeze_encoder:
        # The embedding is shared with the encoder, so it stays as it is too.
        for parameter in [*model.encoder.parameters(), *model.shared.parameters()]:
            parameter.requires_grad_(False)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = adamw(trained, options.rate)
    averaged = Averaged(model, options.average)
    epoch = 0
    state_path = options.out / "state.pt"
    if state_path.exists():
        state = torch.load(state_path, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        for value, saved in zip(averaged.values, state["averaged"], strict=True):
            value.copy_(saved)
        epoch = state["epoch"]
        print(f"resumed after epoch {epoch}", flush=True)

    while epoch < options.epochs:
        drop = DropoutPool(options.dropout, seed=options.seed * 1000 + epoch)
        model.train()
        began, loss_sum, count = time.time(), 0.0, 0
        for index, group in enumerate(batches(lengths, options.batch_tokens, random.Random(options.seed * 7919 + epoch))):
            step = epoch * steps_an_epoch + index
            for parameters in optimizer.param_groups:
                parameters["lr"] = rate_at(step, total, options.rate, options.warmup)
            loss = teacher_loss(model, [source[i] for i in group], [target[i] for i in group], options.smoothing, drop,
                                options.freeze_encoder)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
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
            model.eval()
            translator = load_translator(model, tokenizer)
            record["valGreedyBleu"] = round(bleu(tokenizer, translate(translator, tokenizer, val_source, 1), val_lines), 2)
            if epoch == options.epochs:
                record["valBeam5Bleu"] = round(bleu(tokenizer, translate(translator, tokenizer, val_source, 5), val_lines), 2)
        save_marian_folder(options.out / "model", model, tokenizer)
        averaged.swap()
        save_state(state_path, model=model.state_dict(), optimizer=optimizer.state_dict(), averaged=averaged.values,
                   epoch=epoch)
        with log_path.open("a") as log:
            log.write(json.dumps(record) + "\n")
        print(json.dumps(record), flush=True)


if __name__ == "__main__":
    main()
