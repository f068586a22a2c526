"""Writes what transformers computes with the weights of a GGUF file, de-quantised to fp32: token ids of prompts, greedy outputs of
64 tokens, and scores. It needs the package `gguf` beside those of requirements.txt.

    python make_gguf_model_goldens.py --gguf SmolLM2-135M-Instruct.Q4_1.gguf --out ../bench/data/models/smollm2.json
"""
from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

NEW_TOKENS = 64
QUESTIONS = [
    "What is the capital of France?",
    "Write one sentence about the sea.",
    "List three colours.",
    "Say hello in German.",
    "Repeat this sentence: The quick brown fox jumps over the lazy dog, and the lazy dog does not care.",
    "Which is heavier, a kilogram of feathers or a kilogram of iron?",
    "Give me a name for a cat.",
    "What is 7 times 8?",
    "Explain in two sentences what a computer is.",
    "Correct this sentence: he go to school yesterday",
]
BEGINNINGS = [
    "The capital of France is",
    "Once upon a time, there was a small house near the forest.",
    "def fibonacci(n):\n    if n < 2:\n        return n\n    return",
    "The three laws of motion were written down by",
    "In 1969, two people walked on the",
    "Water boils at 100 degrees",
    "Dear Sir or Madam,\n\nI am writing to",
    "1, 2, 3, 4, 5,",
    "The best way to learn a language is",
    "Ünïcödé, naïve café: 日本語 and 🙂 are",
]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--gguf", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    where = {"pretrained_model_name_or_path": str(args.gguf.parent), "gguf_file": args.gguf.name}
    tokenizer = AutoTokenizer.from_pretrained(**where)
    model = AutoModelForCausalLM.from_pretrained(**where, dtype=torch.float32).eval()
    chats = [[{"role": "user", "content": question}] for question in QUESTIONS]
    prompts = [
        *({"chat": chat, "text": tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)} for chat in chats),
        *({"text": text} for text in BEGINNINGS),
    ]
    rows = [golden(model, tokenizer, prompt) for prompt in prompts]
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps({"file": args.gguf.name, "rows": rows}, ensure_ascii=False) + "\n")


@torch.no_grad()
def golden(model: AutoModelForCausalLM, tokenizer: AutoTokenizer, prompt: dict) -> dict:
    ids = tokenizer(prompt["text"], return_tensors="pt").input_ids
    output = model.generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=NEW_TOKENS, do_sample=False, num_beams=1,
        repetition_penalty=1.0, pad_token_id=tokenizer.pad_token_id or 0,
    )[0]
    greedy = output[ids.shape[1]:].tolist()
    # Scores after every token of prompt and output: the best tokens, and what normalises them.
    logits = model(output[None, :]).logits[0]
    best = logits.topk(5, dim=-1)
    ended = model.generation_config.eos_token_id
    ends = ended if isinstance(ended, list) else [ended]
    return {
        **prompt,
        "tokenIds": ids[0].tolist(),
        "greedy": greedy[:-1] if greedy and greedy[-1] in ends else greedy,
        "best": best.indices.tolist(),
        "logits": [[round(value, 4) for value in row] for row in best.values.tolist()],
        "logSumExp": [round(value, 4) for value in logits.logsumexp(dim=-1).tolist()],
        "answer": tokenizer.decode(greedy, skip_special_tokens=True),
    }


if __name__ == "__main__":
    main()
