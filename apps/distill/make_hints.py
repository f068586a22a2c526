"""Lattices of the CTC student, and its frames, for canvas and edit students that learn to read searched hints.

    python make_hints.py --teacher runs/teacher-soup/model --ctc runs/ctc-soup/model --source runs/fresh.en \
        --dropout 0.1 --out runs/hints/fresh
    node search-hints.mjs runs/hints/fresh MODEL_FOLDER

The first writes `lattices.safetensors`, the second the paths that a prefix beam search with the folder's n-gram model finds
in them, `paths.json`. Without dropout, hints of training data would be better than those of other text.
"""
from __future__ import annotations

import argparse
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer

from distill.checkpoint import load_ctc_folder, load_marian_folder
from distill.data import encode, read_lines
from distill.model import DropoutPool
from distill.student_run import encoder_states, in_groups

CANDIDATES = 12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teacher", type=Path, required=True)
    parser.add_argument("--ctc", type=Path, required=True)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    teacher = load_marian_folder(options.teacher).eval()
    ctc = load_ctc_folder(options.ctc, teacher.shape).eval()
    tokenizer = Tokenizer.from_file(str(options.teacher / "tokenizer.json"))
    states = encoder_states(teacher, encode(tokenizer, read_lines(options.source), 120))
    drop = DropoutPool(options.dropout, options.seed)
    counts = torch.tensor([ctc.upsample * len(s) for s in states])
    begins = counts.cumsum(0) - counts
    total = int(counts.sum())
    frames = torch.empty(total, teacher.shape.width, dtype=torch.float16)
    labels = torch.empty(total, CANDIDATES, dtype=torch.int32)
    scores = torch.empty(total, CANDIDATES)
    blanks = torch.empty(total)
    head, bias = ctc.head.detach(), ctc.head_bias.detach()
    # The blank is told as -1.
    token_ids = torch.cat([ctc.token_ids, torch.tensor([-1])]).int()
    for rows, padded, mask, lengths in in_groups(states):
        with torch.set_grad_enabled(options.dropout > 0):
            x = ctc(padded, mask, drop).detach()
        for row, i in enumerate(rows):
            where = slice(int(begins[i]), int(begins[i] + counts[i]))
            own = x[row, : int(counts[i])]
            log_probs = (own @ head.t() + bias).log_softmax(dim=-1)
            best, index = log_probs.topk(CANDIDATES, dim=-1)
            frames[where], labels[where], scores[where], blanks[where] = own.half(), token_ids[index], best, log_probs[:, -1]
    options.out.mkdir(parents=True, exist_ok=True)
    save_file({"frames": frames, "token_ids": labels, "log_probs": scores, "blank_log_probs": blanks,
               "counts": counts.int()}, options.out / "lattices.safetensors")


if __name__ == "__main__":
    main()
