"""Writes tiny random decoder-only models as GGUF files, with what transformers computes of them and the ids of the original
tokenizers: the goldens of Foretoken's reader of GGUF. It needs the package `gguf` beside those of requirements.txt.

    python make_gguf_goldens.py --out ../../packages/importers/test/goldens/gguf
"""
from __future__ import annotations

import argparse
import base64
import io
import json
import random
import shutil
from pathlib import Path

import gguf
import numpy as np
import sentencepiece
import torch
from gguf import GGMLQuantizationType as Type
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM, LlamaConfig, PretrainedConfig, PreTrainedModel, Qwen2Config, Qwen3Config

from make_causal_goldens import randomise

SIZES = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 128}
TEXT = (
    "The small house stood near the forest. In 1969 two people walked on the moon, and in 2024 there were 365 or 366 days? "
    "A name is a word; say 'hello', say \"good-bye\". It's the cat's 12th toy, isn't it? I'll go, you've been, they're here.\n\n"
    "Zwölf Boxkämpfer jagen Viktor quer über den Sylter Deich. 日本語 naïve café 🙂\tend "
) * 4
LINES = [
    "The small house", "In 1969, 366 days", "it's  two   blanks\n\nand lines", "Zwölf über café", "日本語 🙂", "x", " leading blank", "trailing blank ",
    "<|im_start|>user\nhello<|im_end|>", "12345678", "say 'hello' they're", "tab\tend", "UNSEEN Ωmega ☃",
]
CHAT = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nBe brief.<|im_end|>\n' }}"
    "{% endif %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
LAYER = {
    "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}
NAMES = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight", "lm_head.weight": "output.weight"}


def byte_level() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(vocab_size=320, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator([TEXT], trainer)
    return tokenizer


def pieces() -> sentencepiece.SentencePieceProcessor:
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXT.split("\n")), model_writer=model, vocab_size=420, model_type="bpe", byte_fallback=True,
        normalization_rule_name="identity", remove_extra_whitespaces=False, allow_whitespace_only_pieces=True, minloglevel=2,
        character_coverage=0.98,
    )
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())


def add_byte_level(writer: gguf.GGUFWriter, tokenizer: Tokenizer) -> None:
    vocabulary = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    content = json.loads(tokenizer.to_str())
    special = {token["content"] for token in content["added_tokens"]}
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list([token for token, _ in vocabulary])
    writer.add_token_types([3 if token in special else 1 for token, _ in vocabulary])
    writer.add_token_merges([" ".join(pair) for pair in content["model"]["merges"]])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(False)
    writer.add_chat_template(CHAT)


def add_pieces(writer: gguf.GGUFWriter, processor: sentencepiece.SentencePieceProcessor) -> None:
    count = processor.get_piece_size()
    kinds = [2 if processor.is_unknown(i) else 3 if processor.is_control(i) else 6 if processor.is_byte(i) else 1 for i in range(count)]
    writer.add_tokenizer_model("llama")
    writer.add_token_list([processor.id_to_piece(i) for i in range(count)])
    writer.add_token_scores([processor.get_score(i) for i in range(count)])
    writer.add_token_types(kinds)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)


def permuted(values: np.ndarray, heads: int) -> np.ndarray:
    """Rows of queries and keys as files of the architecture llama have them."""
    return values.reshape(heads, 2, values.shape[0] // heads // 2, *values.shape[1:]).swapaxes(1, 2).reshape(values.shape)


def write(path: Path, architecture: str, model: PreTrainedModel, types: dict[str, Type], vocabulary) -> None:
    config = model.config
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_theta)
    writer.add_vocab_size(config.vocab_size)
    if architecture == "qwen3":
        writer.add_key_length(config.head_dim)
        writer.add_value_length(config.head_dim)
    vocabulary(writer)
    for name, tensor in model.state_dict().items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        values = tensor.float().numpy()
        parts = name.split(".")
        kind = LAYER[".".join(parts[3:-1])] if parts[1] == "layers" else None
        if architecture == "llama" and kind in ("attn_q", "attn_k"):
            values = permuted(values, config.num_attention_heads if kind == "attn_q" else config.num_key_value_heads)
        own = NAMES[name] if kind is None else f"blk.{parts[2]}.{kind}.{parts[-1]}"
        stored = types.get(kind or own, Type.F32) if values.ndim > 1 else Type.F32
        raw = values if stored == Type.F32 else gguf.quants.quantize(values, stored)
        writer.add_tensor(own, raw, raw_dtype=stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@torch.no_grad()
def computed(path: Path, size: int, model: PreTrainedModel | None = None) -> list[dict]:
    if model is None:
        model = AutoModelForCausalLM.from_pretrained(str(path.parent), gguf_file=path.name, dtype=torch.float32, attn_implementation="eager")
    model.eval()
    rows = []
    for prompt in [[1, 30, 5, 270, 9], [7], [40, 41, 42, 40, 41, 42, 40, 41]]:
        prompt = [token % size for token in prompt]
        ids = torch.tensor([prompt])
        output = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=20, do_sample=False, pad_token_id=0)[0]
        greedy = output[len(prompt):].tolist()
        logits = model(ids).logits[0, -1].tolist()
        rows.append({"prompt": prompt, "logits": [round(x, 5) for x in logits], "greedy": greedy[:greedy.index(2)] if 2 in greedy else greedy})
    return rows


def model_of(config: PretrainedConfig, seed: int) -> PreTrainedModel:
    model = AutoModelForCausalLM.from_config(config)
    randomise(model, seed)
    model.tie_weights()
    return model


def blocks() -> dict:
    """Random blocks of each type and their values by gguf-py; scales are small, as no block of a model has NaN for one."""
    generator = np.random.default_rng(7)
    result = {}
    for kind, halves in [(Type.Q8_0, [0]), (Type.Q4_0, [0]), (Type.Q4_1, [0, 2]), (Type.Q4_K, [0, 2]), (Type.Q6_K, [208])]:
        _, size = gguf.GGML_QUANT_SIZES[kind]
        raw = generator.integers(0, 256, (3, size), dtype=np.uint8)
        for at in halves:
            raw[:, at:at + 2] = generator.normal(0, 0.05, (3, 1)).astype(np.float16).view(np.uint8)
        values = gguf.quants.dequantize(raw, kind).astype("<f4")
        result[kind.name] = {name: base64.b64encode(array.tobytes()).decode() for name, array in [("bytes", raw), ("values", values)]}
    return result


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    shutil.rmtree(args.out, ignore_errors=True)
    args.out.mkdir(parents=True)
    random.seed(0)
    torch.manual_seed(0)
    tokenizer, processor = byte_level(), pieces()
    size, piece_count = tokenizer.get_vocab_size(), processor.get_piece_size()
    mixed = {"token_embd.weight": Type.Q8_0, "attn_q": Type.Q4_0, "attn_k": Type.Q4_1, "attn_v": Type.Q8_0, "ffn_up": Type.F16, "ffn_down": Type.Q4_1}
    halves = {name: Type.F16 for name in ["token_embd.weight", "output.weight", *LAYER.values()]}
    kinds = {
        "llama-byte-level": ("llama", LlamaConfig(**SIZES, vocab_size=size, tie_word_embeddings=True, rope_theta=1e5), mixed, lambda w: add_byte_level(w, tokenizer)),
        "llama-pieces": ("llama", LlamaConfig(**SIZES, vocab_size=piece_count, tie_word_embeddings=False), halves, lambda w: add_pieces(w, processor)),
        "qwen2": ("qwen2", Qwen2Config(**SIZES, vocab_size=size, tie_word_embeddings=True), {"ffn_gate": Type.F16}, lambda w: add_byte_level(w, tokenizer)),
        "qwen3": ("qwen3", Qwen3Config(**SIZES, vocab_size=size, tie_word_embeddings=True, head_dim=16), {}, lambda w: add_byte_level(w, tokenizer)),
    }
    expected: dict = {"blocks": blocks(), "models": {}}
    for seed, (name, (architecture, config, types, vocabulary)) in enumerate(kinds.items()):
        path = args.out / f"{name}.gguf"
        model = model_of(config, seed)
        write(path, architecture, model, types, vocabulary)
        # transformers does not read how wide the heads of Qwen 3 are.
        expected["models"][name] = computed(path, config.vocab_size, model if architecture == "qwen3" else None)
    expected["byteLevel"] = [{"text": line, "ids": tokenizer.encode(line).ids} for line in LINES]
    expected["pieces"] = [{"text": line, "ids": [1, *processor.encode(line)]} for line in LINES]
    (args.out / "expected.json").write_text(json.dumps(expected, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
