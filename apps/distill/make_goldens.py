"""Writes the goldens that hold Foretoken to Hugging Face `MarianMTModel`: greedy tokens and logits on the same weights.

    python make_goldens.py --model ../../packages/model-multi30k-en-de/weights --source test.en --out goldens.json

Weights are read as stored (fp16 where exported so) and computed in fp32, as Foretoken does.
"""
from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer
from transformers import MarianMTModel

from distill.data import END, encode, read_lines


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--sentences", type=int, default=200)
    parser.add_argument("--logit-sentences", type=int, default=4)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    tokenizer = Tokenizer.from_file(str(options.model / "tokenizer.json"))
    model = MarianMTModel.from_pretrained(options.model, dtype=torch.float32).eval()
    start = model.config.decoder_start_token_id
    lines = read_lines(options.source)[: options.sentences]
    source = encode(tokenizer, lines, model.config.max_position_embeddings)
    greedy = []
    for row in source:
        output = model.generate(torch.tensor([row]), num_beams=1, do_sample=False, max_length=100)[0].tolist()
        greedy.append([i for i in output if i not in (start, END)])
    generator = torch.Generator().manual_seed(1)
    logits = []
    for row, output in list(zip(source, greedy))[: options.logit_sentences]:
        scores = model(input_ids=torch.tensor([row]), decoder_input_ids=torch.tensor([[start, *output]])).logits[0]
        best = scores.topk(8, dim=-1).indices
        others = torch.randint(scores.shape[1], (scores.shape[0], 24), generator=generator)
        token_ids = torch.cat([best, others], dim=1)
        logits.append({"tokenIds": token_ids.tolist(),
                       "logits": [[round(v, 6) for v in r] for r in scores.gather(1, token_ids).tolist()],
                       "logSumExp": [round(v, 6) for v in scores.logsumexp(dim=1).tolist()]})
    options.out.write_text(json.dumps({
        "madeBy": "apps/distill/make_goldens.py", "transformers": transformers.__version__, "torch": torch.__version__,
        "sources": source, "greedy": greedy, "logits": logits,
    }) + "\n")
    print(f"{len(greedy)} greedy outputs, {len(logits)} logit tables")


if __name__ == "__main__":
    main()
