"""Sequence-level knowledge distillation: decodes the training set with the teacher (Kim & Rush, 2016).

    python distil.py --data DATA --model runs/teacher/model --beam-size 5 --out runs/teacher/train.beam5.json

With --closest, the hypothesis of the beam closest to the reference by sentence BLEU is kept instead of the most
probable one (sequence-level interpolation, section 3.3 of the paper). With --agree, the one that teacher and CTC student
together find most probable: a teacher sharpened on it says what its student can say, so more of a draft is accepted.
"""
from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import torch
from tokenizers import Tokenizer

from distill.agreement import ctc_log_probs, most_agreed
from distill.checkpoint import load_ctc_folder, load_marian_folder
from distill.data import encode, read_lines
from distill.reference_decoder import bleu, closest, load_translator, n_best, scored_n_best, translate
from distill.student_run import encoder_states


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--beam-size", type=int, default=5)
    parser.add_argument("--closest", action="store_true")
    parser.add_argument("--agree", type=Path, help="folder of a CTC student on this model's encoder")
    parser.add_argument("--agree-weight", type=float, default=0.5, help="weight of the student's log-probability against the teacher's")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--split", default="train")
    parser.add_argument("--source", type=Path, help="source lines instead of the split's; there are no references then")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    tokenizer = Tokenizer.from_file(str(options.model / "tokenizer.json"))
    teacher = load_marian_folder(options.model).eval()
    translator = load_translator(teacher, tokenizer, options.threads)
    began = time.time()
    source = encode(tokenizer, read_lines(options.source or options.data / f"{options.split}.en"), 120)
    references = [] if options.source else read_lines(options.data / f"{options.split}.de")
    if options.closest and options.agree:
        raise SystemExit("--closest and --agree each choose a hypothesis: give one")
    if options.closest and not references:
        raise SystemExit("--closest needs references, and --source has none")
    if options.closest:
        output = closest(tokenizer, n_best(translator, tokenizer, source, options.beam_size), references)
    elif options.agree:
        candidates, by_teacher = scored_n_best(translator, tokenizer, source, options.beam_size)
        student = load_ctc_folder(options.agree, teacher.shape).eval()
        by_student = ctc_log_probs(student, encoder_states(teacher, source), candidates)
        output = most_agreed(candidates, by_teacher, by_student, options.agree_weight)
    else:
        output = translate(translator, tokenizer, source, options.beam_size)
    partial = options.out.with_suffix(".partial")
    partial.write_text(json.dumps(output))
    partial.replace(options.out)
    score = round(bleu(tokenizer, output, references), 2) if references else None
    print(json.dumps({"sentences": len(output), "beamSize": options.beam_size, "closest": options.closest, "agree": str(options.agree or ""), "bleu": score,
                      "seconds": round(time.time() - began, 1)}))


if __name__ == "__main__":
    main()
