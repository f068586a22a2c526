"""Writes tiny random decoder-only language models as weights folders, one for each kind of config, with what transformers
computes of them: the goldens that hold Foretoken's importer of such models to another implementation.

    python make_causal_goldens.py --out ../../packages/models/test/goldens/causal
"""
from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import GPT2Config, LlamaConfig, MistralConfig, Qwen2Config, Qwen3Config, PretrainedConfig

VOCABULARY, PAD, UNKNOWN, END, START = 40, 0, 1, 2, 39
SIZES = {
    "vocab_size": VOCABULARY, "hidden_size": 32, "intermediate_size": 40, "num_hidden_layers": 2,
    "num_attention_heads": 4, "max_position_embeddings": 64, "bos_token_id": START, "eos_token_id": END,
    "pad_token_id": PAD,
}
PROMPTS = [[39, 5, 9, 12], [39, 7], [39, 3, 4, 5, 3, 4, 5, 3, 4], [39, 30, 21, 17, 8, 26, 11, 33, 14, 6, 19], [39, 12, 12, 35]]
NEW_TOKENS = 24

# Each kind: its config, how its weights are stored, and the largest shard, where it is split.
LLAMA3_ROPE = {
    "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16,
}
KINDS: dict[str, tuple[PretrainedConfig, torch.dtype, str | None]] = {
    "llama": (LlamaConfig(**SIZES, num_key_value_heads=2, tie_word_embeddings=False), torch.float32, None),
    "llama-tied": (
        LlamaConfig(
            **SIZES | {"eos_token_id": [END, 20]}, num_key_value_heads=1, tie_word_embeddings=True, rope_theta=5e5,
            rope_scaling=LLAMA3_ROPE, attention_bias=True, mlp_bias=True, rms_norm_eps=1e-5,
        ), torch.float16, None,
    ),
    "llama-linear": (
        LlamaConfig(**SIZES, num_key_value_heads=4, rope_scaling={"rope_type": "linear", "factor": 4.0}), torch.float32, None,
    ),
    "mistral": (MistralConfig(**SIZES, num_key_value_heads=2, sliding_window=48), torch.float32, "12KB"),
    "qwen2": (
        Qwen2Config(**SIZES, num_key_value_heads=2, tie_word_embeddings=True, rope_theta=1e6, sliding_window=16), torch.bfloat16, None,
    ),
    "qwen3": (Qwen3Config(**SIZES, num_key_value_heads=2, head_dim=16, tie_word_embeddings=True), torch.float32, None),
    "gpt2": (
        GPT2Config(
            vocab_size=VOCABULARY, n_positions=64, n_embd=32, n_layer=2, n_head=4, bos_token_id=START, eos_token_id=END,
            pad_token_id=PAD,
        ), torch.float32, None,
    ),
    # Other activations, and heads that together are wider than the model.
    "llama-gelu": (
        LlamaConfig(**SIZES | {"hidden_size": 24, "num_attention_heads": 6}, num_key_value_heads=3, head_dim=8, hidden_act="gelu"),
        torch.bfloat16, None,
    ),
    "gpt2-gelu": (
        GPT2Config(
            vocab_size=VOCABULARY, n_positions=50, n_embd=24, n_layer=2, n_head=3, n_inner=30, activation_function="gelu",
            bos_token_id=START, eos_token_id=END, pad_token_id=PAD,
        ), torch.float16, None,
    ),
    # Attention that is scaled in other ways, and a matrix of its own that scores states.
    "gpt2-layer-scales": (
        GPT2Config(
            vocab_size=VOCABULARY, n_positions=50, n_embd=24, n_layer=3, n_head=3, scale_attn_by_inverse_layer_idx=True,
            tie_word_embeddings=False, bos_token_id=START, eos_token_id=END, pad_token_id=PAD,
        ), torch.float16, None,
    ),
    "gpt2-no-scale": (
        GPT2Config(
            vocab_size=VOCABULARY, n_positions=64, n_embd=20, n_layer=1, n_head=5, activation_function="relu", scale_attn_weights=False,
            reorder_and_upcast_attn=True, bos_token_id=START, eos_token_id=END, pad_token_id=PAD,
        ), torch.float32, None,
    ),
}


def letters() -> Tokenizer:
    """Letters are tokens; the start token comes before every text."""
    tokens = ["<pad>", "<unk>", "</s>", *[chr(97 + i) for i in range(26)], *"0123456789", "<s>"]
    assert len(tokens) == VOCABULARY
    tokenizer = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=[], unk_token="<unk>", fuse_unk=True))
    tokenizer.add_special_tokens([tokens[i] for i in (PAD, UNKNOWN, END, START)])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="never")
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", START)])
    return tokenizer


def randomise(model: torch.nn.Module, seed: int) -> None:
    """Weights that tell positions and tokens apart: attention is sharp, norms and biases are not what they start as."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in model.named_parameters():
        spread = 0.35 if tensor.dim() > 1 else 0.2
        values = torch.randn(tensor.shape, generator=generator) * spread
        norm = tensor.dim() == 1 and "norm" in name or ".ln_" in name and name.endswith("weight")
        with torch.no_grad():
            tensor.copy_(values + (1 if norm else 0))


@torch.no_grad()
def goldens(model: transformers.PreTrainedModel) -> dict:
    """Logits after every token of each prompt, greedy outputs, and the n-best lists of beam search."""
    ends = model.config.eos_token_id if isinstance(model.config.eos_token_id, list) else [model.config.eos_token_id]
    rows = []
    for prompt in PROMPTS:
        ids = torch.tensor([prompt])
        options = {"attention_mask": torch.ones_like(ids), "max_new_tokens": NEW_TOKENS, "do_sample": False, "pad_token_id": PAD}
        greedy = model.generate(ids, **options)[0, len(prompt):].tolist()
        beam = model.generate(
            ids, **options, num_beams=4, num_return_sequences=4, output_scores=True, return_dict_in_generate=True,
        )
        outputs = [trimmed(row[len(prompt):].tolist(), ends) for row in beam.sequences]
        rows.append({
            "prompt": prompt,
            "logits": [[round(value, 6) for value in row] for row in model(ids).logits[0].tolist()],
            "greedy": trimmed(greedy, ends),
            "beam": outputs,
            "scores": [round(score, 6) for score in beam.sequences_scores.tolist()],
        })
    return {"rows": rows}


def trimmed(tokens: list[int], ends: list[int]) -> list[int]:
    """The output without its end token and what comes after."""
    for index, token in enumerate(tokens):
        if token in ends:
            return tokens[:index]
    return tokens


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    torch.manual_seed(0)
    for seed, (kind, (config, dtype, shard)) in enumerate(KINDS.items()):
        folder = args.out / kind
        shutil.rmtree(folder, ignore_errors=True)
        config._attn_implementation = "eager"
        model = transformers.AutoModelForCausalLM.from_config(config)
        randomise(model, seed)
        model.to(dtype).save_pretrained(folder, **({"max_shard_size": shard} if shard else {}))
        letters().save(str(folder / "tokenizer.json"))
        loaded = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
        (folder / "expected.json").write_text(json.dumps(goldens(loaded)) + "\n")


if __name__ == "__main__":
    main()
