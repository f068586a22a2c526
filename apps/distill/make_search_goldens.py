"""Writes the goldens of beam search and of the rules on scores: n-best lists of Hugging Face and of CTranslate2.

    python make_search_goldens.py --model runs/restored/teacher/model --source test.en --out goldens.json

One sentence at a time in fp32, so no padding takes part. Each run of the file has the options it was made with.
Variants of the options cover the first sentences only.
"""
from __future__ import annotations

import argparse
import json
from pathlib import Path

import ctranslate2
import torch
import transformers
from tokenizers import Tokenizer
from transformers import MarianMTModel

from distill.checkpoint import load_marian_folder
from distill.data import END, encode, read_lines
from distill.reference_decoder import load_translator

BEAM_SIZES = (4, 8)
HUGGING_FACE = {"do_sample": False, "max_length": 100, "length_penalty": 1.0, "early_stopping": False}
BEAM_VARIANTS = (
    {"length_penalty": 0.0, "early_stopping": True}, {"length_penalty": 2.0}, {"early_stopping": "never"},
    {"no_repeat_ngram_size": 2}, {"repetition_penalty": 1.3}, {"min_new_tokens": 12},
)
GREEDY = {"num_beams": 1, "do_sample": False, "max_length": 100}
GREEDY_VARIANTS = ({"repetition_penalty": 1.3}, {"no_repeat_ngram_size": 2}, {"min_new_tokens": 15})
# Left at its default of 1, min_decoding_length would take the end token out of the first position's distribution.
CTRANSLATE2 = {"length_penalty": 1.0, "min_decoding_length": 0, "max_decoding_length": 100, "patience": 1.0}
CTRANSLATE2_VARIANTS = ({"patience": 2.0}, {"length_penalty": 0.6})


def rounded(scores: list[float]) -> list[float]:
    return [round(score, 7) for score in scores]


@torch.no_grad()
def hugging_face(model: MarianMTModel, source: list[list[int]], options: dict[str, object]) -> dict[str, object]:
    """Best first; token ids without start, pad and end. Greedy search has one output and no score."""
    token_ids, scores = [], []
    for row in source:
        output = model.generate(torch.tensor([row]), return_dict_in_generate=True, output_scores=True, **options)
        left_out = (model.config.decoder_start_token_id, model.config.pad_token_id, END)
        token_ids.append([[i for i in sequence if i not in left_out] for sequence in output.sequences.tolist()])
        if options["num_beams"] > 1:
            scores.append(rounded(output.sequences_scores.tolist()))
    return {"engine": "huggingFace", "options": options, "tokenIds": token_ids, "scores": scores or None}


def ctranslate2_run(translator: ctranslate2.Translator, tokenizer: Tokenizer, source: list[list[int]],
                    options: dict[str, object]) -> dict[str, object]:
    """Best first; token ids without the end token, scores as CTranslate2 returns them."""
    token_ids, scores = [], []
    for row in source:
        tokens = [tokenizer.id_to_token(i) for i in row]
        result, = translator.translate_batch([tokens], return_scores=True, **options)
        token_ids.append([[i for t in h if (i := tokenizer.token_to_id(t)) != END] for h in result.hypotheses])
        scores.append(rounded(result.scores))
    return {"engine": "ctranslate2", "options": options, "tokenIds": token_ids, "scores": scores}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--sentences", type=int, default=300)
    parser.add_argument("--variant-sentences", type=int, default=60)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    tokenizer = Tokenizer.from_file(str(options.model / "tokenizer.json"))
    model = MarianMTModel.from_pretrained(options.model, dtype=torch.float32).eval()
    translator = load_translator(load_marian_folder(options.model), tokenizer, threads=1)
    lines = read_lines(options.source)[: options.sentences]
    source = encode(tokenizer, lines, model.config.max_position_embeddings)
    first = source[: options.variant_sentences]
    runs = []
    for size in BEAM_SIZES:
        beam = {"num_beams": size, "num_return_sequences": size}
        runs.append(hugging_face(model, source, beam | HUGGING_FACE))
        beam = {"beam_size": size, "num_hypotheses": size}
        runs.append(ctranslate2_run(translator, tokenizer, source, beam | CTRANSLATE2))
    for variant in BEAM_VARIANTS:
        runs.append(hugging_face(model, first, {"num_beams": 4, "num_return_sequences": 4} | HUGGING_FACE | variant))
    for variant in GREEDY_VARIANTS:
        runs.append(hugging_face(model, first, GREEDY | variant))
    for variant in CTRANSLATE2_VARIANTS:
        beam = {"beam_size": 4, "num_hypotheses": 4}
        runs.append(ctranslate2_run(translator, tokenizer, first, beam | CTRANSLATE2 | variant))
    options.out.write_text(json.dumps({
        "madeBy": "apps/distill/make_search_goldens.py", "transformers": transformers.__version__,
        "torch": torch.__version__, "ctranslate2": ctranslate2.__version__, "sources": source, "runs": runs,
    }, separators=(",", ":")) + "\n")
    print(f"{len(runs)} runs, {sum(len(run['tokenIds']) for run in runs)} lists")


if __name__ == "__main__":
    main()
