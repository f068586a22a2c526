"""Writes tiny random language models as CTranslate2 stores them, in each of its element types, with what CTranslate2 computes of
them in fp32: the goldens of Foretoken's reader of its `TransformerDecoderSpec`. Models of transformers go through CTranslate2's own
loaders; what no loader writes, but the format can say, is set on their specs.

    python make_ctranslate2_decoder_goldens.py --out ../../packages/importers/test/goldens/ctranslate2-decoders

With `--all` every model is written in every element type, for a wider check than the one that is committed.
"""
from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import ctranslate2
import numpy as np
import torch
from ctranslate2.converters.transformers import GPT2Loader, LlamaLoader, MistralLoader, OPTLoader, Qwen2Loader, Qwen3Loader
from ctranslate2.specs import attention_spec, common_spec, model_spec, transformer_spec
from transformers import (
    AutoModelForCausalLM, GPT2Config, LlamaConfig, MistralConfig, OPTConfig, PretrainedConfig, Qwen2Config, Qwen3Config,
)

from make_causal_goldens import END, LLAMA3_ROPE, PAD, START, letters, randomise
from make_ctranslate2_goldens import DIGITS, STORAGES, packed

PROMPTS = 20
NEW_TOKENS = 8
# Prompts whose scores are kept, of all tokens.
SCORED = 3
SIZES = {
    "vocab_size": 40, "hidden_size": 16, "intermediate_size": 12, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 64, "bos_token_id": START, "eos_token_id": END, "pad_token_id": PAD,
}
GPT2_SIZES = {
    "vocab_size": 40, "n_positions": 24, "n_embd": 16, "n_layer": 2, "n_head": 4, "n_inner": 12, "bos_token_id": START, "eos_token_id": END,
    "pad_token_id": PAD,
}
OPT_SIZES = {
    "vocab_size": 40, "hidden_size": 16, "ffn_dim": 12, "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 24,
    "word_embed_proj_dim": 16, "bos_token_id": START, "eos_token_id": END, "pad_token_id": PAD,
}


@dataclass
class Kind:
    """A config, what converts its model, and what is changed of the spec."""
    config: PretrainedConfig
    loader: type
    change: Callable[[transformer_spec.TransformerDecoderSpec], None] = lambda decoder: None
    # What config.json says beside the end token.
    fields: dict = field(default_factory=dict)


def attention(**settings) -> Callable[[transformer_spec.TransformerDecoderSpec], None]:
    """Settings of the attention of all layers, of which the classes of some versions know a part only."""
    def change(decoder) -> None:
        for layer in decoder.layer:
            for name, value in settings.items():
                object.__setattr__(layer.self_attention, name, value)
    return change


def gelu(decoder) -> None:
    decoder.activation = np.dtype("int8").type(common_spec.Activation.GELUTanh)


def without_biases(*parts: str) -> Callable[[transformer_spec.TransformerDecoderSpec], None]:
    def change(decoder) -> None:
        for layer in decoder.layer:
            for part in parts:
                model_spec.index_spec(layer, part).bias = model_spec.OPTIONAL
    return change


STRETCHED = attention(
    rotary_scaling_factor=np.float32(8), original_max_position_embeddings=np.int32(16), rotary_scaling_type=np.int8(2),
    rotary_low_freq_factor=np.float32(1), rotary_high_freq_factor=np.float32(4),
)
INTERLEAVED = attention(rotary_interleave=True)
KINDS: dict[str, Kind] = {
    "llama": Kind(LlamaConfig(**SIZES, tie_word_embeddings=False), LlamaLoader),
    "llama-biased": Kind(
        LlamaConfig(
            **SIZES | {"vocab_size": 43, "num_key_value_heads": 1}, attention_bias=True, mlp_bias=True, rms_norm_eps=1e-5,
            tie_word_embeddings=True, rope_theta=5e5,
        ), LlamaLoader,
    ),
    "llama-linear": Kind(LlamaConfig(**SIZES | {"num_key_value_heads": 4}, rope_scaling={"rope_type": "linear", "factor": 4.0}), LlamaLoader),
    "llama-unstretched": Kind(LlamaConfig(**SIZES, rope_scaling=LLAMA3_ROPE), LlamaLoader),
    "llama-stretched": Kind(LlamaConfig(**SIZES | {"num_attention_heads": 2, "num_key_value_heads": 1}), LlamaLoader, STRETCHED),
    "llama-far": Kind(LlamaConfig(**SIZES), LlamaLoader, attention(rotary_scaling_factor=np.float32(4), rotary_scaling_type=np.int8(2))),
    "llama-interleaved": Kind(LlamaConfig(**SIZES, attention_bias=True), LlamaLoader, INTERLEAVED),
    "llama-gelu": Kind(LlamaConfig(**SIZES | {"num_attention_heads": 2, "num_key_value_heads": 2}), LlamaLoader, gelu, {"layer_norm_epsilon": 0.01}),
    "llama-some-biases": Kind(
        LlamaConfig(**SIZES, attention_bias=True, mlp_bias=True), LlamaLoader, without_biases("self_attention/linear_1", "ffn/linear_1"),
    ),
    "mistral": Kind(
        MistralConfig(**SIZES | {"num_attention_heads": 6, "num_key_value_heads": 3, "hidden_size": 24}, head_dim=8, sliding_window=32),
        MistralLoader,
    ),
    "mistral-wide": Kind(MistralConfig(**SIZES | {"num_key_value_heads": 1}, head_dim=6, sliding_window=None), MistralLoader),
    "qwen2": Kind(Qwen2Config(**SIZES | {"vocab_size": 41}, tie_word_embeddings=True, rope_theta=1e6), Qwen2Loader),
    "qwen3": Kind(Qwen3Config(**SIZES, head_dim=8, tie_word_embeddings=True), Qwen3Loader),
    "qwen3-interleaved": Kind(
        Qwen3Config(**SIZES, head_dim=8, attention_bias=True, tie_word_embeddings=False), Qwen3Loader, INTERLEAVED,
    ),
    "gpt2": Kind(GPT2Config(**GPT2_SIZES), GPT2Loader),
    "gpt2-gelu": Kind(GPT2Config(**GPT2_SIZES | {"vocab_size": 45}, activation_function="gelu", tie_word_embeddings=False), GPT2Loader),
    "opt": Kind(OPTConfig(**OPT_SIZES, activation_function="relu"), OPTLoader),
    "opt-unbiased": Kind(OPTConfig(**OPT_SIZES, enable_bias=False, activation_function="quick_gelu", tie_word_embeddings=False), OPTLoader),
}
COMMITTED = [
    ("llama-some-biases", "float32"), ("llama-biased", "int8_bfloat16"), ("llama-stretched", "bfloat16"), ("llama-interleaved", "int16"), ("mistral", "float16"),
    ("qwen2", "int8_float16"), ("qwen3-interleaved", "int8_float32"), ("gpt2", "int8_float16"), ("opt-unbiased", "int16"),
]


def vocabulary(size: int) -> list[str]:
    """The tokens, and what loaders fill the table up with."""
    tokens = [token for token, _ in sorted(letters().get_vocab().items(), key=lambda item: item[1])]
    return [*tokens, *(f"<extra_id_{index}>" for index in range(size - len(tokens)))]


def save(name: str, storage: str, folder: Path) -> list[str]:
    kind = KINDS[name]
    torch.manual_seed(0)
    kind.config._attn_implementation = "eager"
    model = AutoModelForCausalLM.from_config(kind.config)
    randomise(model, list(KINDS).index(name))
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            # Around 0, or one token would be output everywhere.
            shift = 1 if parameter_name.endswith("norm.bias") else 0
            parameter.copy_(((parameter - shift) * (2 if parameter.dim() > 1 else 1)).half().float())
        spec = kind.loader().get_model_spec(model)
    kind.change(spec.decoder)
    tokens = vocabulary(kind.config.vocab_size)
    spec.register_vocabulary(tokens)
    epsilon = getattr(kind.config, "rms_norm_eps", None)
    for field_name, value in {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>", "layer_norm_epsilon": epsilon, **kind.fields}.items():
        setattr(spec.config, field_name, value)
    spec.validate()
    spec.optimize(quantization=storage)
    folder.mkdir(parents=True)
    spec.save(str(folder))
    letters().save(str(folder / "tokenizer.json"), pretty=False)
    return tokens


def run(folder: Path, tokens: list[str], prompts: list[list[int]]) -> dict:
    generator = ctranslate2.Generator(str(folder), compute_type="float32", intra_threads=1)
    given = [[tokens[index] for index in prompt] for prompt in prompts]
    options = {
        "max_length": NEW_TOKENS, "length_penalty": 1.0, "return_scores": True, "include_prompt_in_result": False, "max_batch_size": 1,
    }
    greedy = generator.generate_batch(given, beam_size=1, **options)
    beam = generator.generate_batch(given, beam_size=4, num_hypotheses=4, **options)
    logits = [np.asarray(generator.forward_batch([prompt], return_log_probs=True))[0, -1] for prompt in prompts[:SCORED]]
    scored = generator.score_batch([row for row in given if len(row) > 1], max_batch_size=1)
    return {
        "greedy": [packed(row.sequences_ids[0]) for row in greedy],
        "beam": [[packed(ids) for ids in row.sequences_ids] for row in beam],
        "scores": [[round(score, 5) for score in row.scores] for row in beam],
        "next": [[round(float(value), 5) for value in row] for row in logits],
        # What each prompt of more than one token costs behind its first.
        "prompts": [round(sum(row.log_probs), 5) for row in scored],
    }


def prompts_of(size: int) -> list[list[int]]:
    generator = np.random.default_rng(21)
    return [[START, *(int(index) for index in generator.integers(3, size, size=int(generator.integers(0, 10))))] for _ in range(PROMPTS)]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--all", action="store_true")
    options = parser.parse_args()
    shutil.rmtree(options.out, ignore_errors=True)
    wanted = [(kind, storage) for kind in KINDS for storage in STORAGES] if options.all else COMMITTED
    expected: dict[str, dict] = {}
    for kind, storage in wanted:
        folder = options.out / f"{kind}-{storage}"
        tokens = save(kind, storage, folder)
        prompts = prompts_of(len(tokens))
        found = expected.setdefault(kind, {"prompts": [packed(prompt) for prompt in prompts], "runs": {}})
        found["runs"][storage] = run(folder, tokens, prompts)
        different = len(set(found["runs"][storage]["greedy"]))
        print(kind, storage, (folder / "model.bin").stat().st_size, "bytes,", different, "different outputs")
    (options.out / "expected.json").write_text(
        json.dumps({"newTokens": NEW_TOKENS, "models": expected}, separators=(",", ":")) + "\n", encoding="utf-8"
    )
    print(sum(path.stat().st_size for path in options.out.rglob("*") if path.is_file()), "bytes in all")


if __name__ == "__main__":
    main()
