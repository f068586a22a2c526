"""Writes tiny random models as ONNX exports in the layouts of Optimum and transformers.js, with what transformers computes of
them: the goldens that hold Foretoken's adapters to another implementation.

    python make_export_fixtures.py --out ../../packages/models/test/goldens/exports

Needs optimum-onnx 0.1.0 and onnxruntime beside requirements.txt. Names inside the graphs are shortened, since they are most of
a tiny graph, but for those that say what weights are; inputs, outputs and operators stay as they were exported.
"""
from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

import onnx
import torch
import transformers
from onnxruntime.quantization import quantize_dynamic
from optimum.exporters.onnx import model_configs, onnx_export_from_model
from safetensors.torch import load_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import BartConfig, LlamaConfig, MarianConfig, OPTConfig, PreTrainedModel, T5Config

VOCABULARY = 41
PAD, END, UNKNOWN, START = 0, 1, 2, 3
TOKENS = ["<pad>", "</s>", "<unk>", "<s>", *[chr(97 + i) for i in range(26)], *"0123456789", "."]
SOURCES = [[5, 9, 12, 4, 1], [7, 1], [30, 21, 17, 8, 26, 11, 33, 14, 6, 19, 1], [12, 12, 35, 1]]
PROMPTS = [[3, 5, 9, 12], [3, 7], [3, 30, 21, 17, 8, 26, 11, 33, 14, 6, 19], [3, 12, 12, 35]]
PADDED_PROMPTS = [[3, PAD, 5, PAD, PAD, 9], [PAD, PAD, 7], [3, 12, PAD]]
NEW_TOKENS = 20
IDS = {"pad_token_id": PAD, "eos_token_id": END, "decoder_start_token_id": PAD, "bos_token_id": START}
LAYERS = {
    "d_model": 16, "encoder_layers": 1, "decoder_layers": 2, "encoder_attention_heads": 2, "decoder_attention_heads": 2,
    "encoder_ffn_dim": 20, "decoder_ffn_dim": 20, "max_position_embeddings": 40, "tie_word_embeddings": False,
}

# Each kind: its config, the task that optimum exports, where the graphs go, and the graphs that are kept.
SPLIT = ("encoder_model", "decoder_model", "decoder_with_past_model")
KINDS = {
    "marian": (
        MarianConfig(
            **LAYERS, **IDS, vocab_size=len(TOKENS), scale_embedding=True, activation_function="swish", forced_eos_token_id=None,
            bad_words_ids=[[PAD]],
        ), "onnx", (*SPLIT, "decoder_model_merged"),
    ),
    "bart": (BartConfig(**LAYERS, **IDS, vocab_size=len(TOKENS), forced_bos_token_id=START, forced_eos_token_id=None), "", SPLIT),
    "t5": (
        T5Config(
            vocab_size=len(TOKENS) + 3, d_model=16, d_kv=6, d_ff=20, num_layers=2, num_decoder_layers=2, num_heads=3, pad_token_id=PAD,
            eos_token_id=END, decoder_start_token_id=PAD, feed_forward_proj="gated-gelu", tie_word_embeddings=False,
            relative_attention_num_buckets=8, relative_attention_max_distance=12,
        ), "", ("encoder_model", "decoder_model_merged"),
    ),
    "llama": (
        LlamaConfig(
            vocab_size=len(TOKENS), hidden_size=16, intermediate_size=20, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, max_position_embeddings=64, pad_token_id=PAD, eos_token_id=END, bos_token_id=START,
        ), "onnx", ("model",),
    ),
}


def letters(ends: bool) -> Tokenizer:
    """Letters are tokens; a source ends with the end token, a prompt begins with the start token."""
    tokenizer = Tokenizer(
        models.BPE(vocab={token: i for i, token in enumerate(TOKENS)}, merges=[], unk_token="<unk>", fuse_unk=True)
    )
    tokenizer.add_special_tokens([TOKENS[i] for i in (PAD, END, UNKNOWN, START)])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="never")
    template, special = ("$A </s>", ("</s>", END)) if ends else ("<s> $A", ("<s>", START))
    tokenizer.post_processor = processors.TemplateProcessing(single=template, special_tokens=[special])
    return tokenizer


def randomise(model: torch.nn.Module, seed: int) -> None:
    """Weights that tell positions and tokens apart: attention is sharp, norms and biases are not what they start as."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in model.named_parameters():
        if not tensor.requires_grad:
            continue
        # T5 does not scale its products.
        spread = 0.2 if tensor.dim() == 1 else 1.2 if "attn" in name else 0.5
        values = torch.randn(tensor.shape, generator=generator) * spread
        with torch.no_grad():
            tensor.copy_(values + (1 if "norm" in name and name.endswith("weight") else 0))


def shorten(model: onnx.ModelProto) -> None:
    """Gives what is inside the graph the shortest name; what it takes and gives keeps its own, and so do weights and their products."""
    kept = {value.name for value in (*model.graph.input, *model.graph.output)} | {""}
    weights: set[str] = set()

    def find(graph: onnx.GraphProto) -> None:
        weights.update(tensor.name for tensor in graph.initializer if len(tensor.dims) > 0 and tensor.data_type == onnx.TensorProto.FLOAT)
        for node in graph.node:
            if node.op_type == "Identity" and node.input[0] in weights:
                weights.update(node.output)
            for attribute in node.attribute:
                if attribute.HasField("g"):
                    find(attribute.g)

    find(model.graph)
    kept |= {name for name in weights if not name.startswith("onnx::")}
    names: dict[str, str] = {}

    def short(name: str) -> str:
        return name if name in kept else names.setdefault(name, f"v{len(names)}")

    def visit(graph: onnx.GraphProto) -> None:
        del graph.value_info[:]
        graph.ClearField("doc_string")
        for tensor in graph.initializer:
            tensor.name = short(tensor.name)
        for value in (*graph.input, *graph.output):
            value.name = short(value.name)
        for node in graph.node:
            if not (node.op_type in ("MatMul", "Gemm") and weights.intersection(node.input)):
                node.ClearField("name")
            node.ClearField("doc_string")
            node.input[:] = [short(name) for name in node.input]
            node.output[:] = [short(name) for name in node.output]
            for attribute in node.attribute:
                if attribute.HasField("g"):
                    visit(attribute.g)

    visit(model.graph)
    del model.metadata_props[:]
    onnx.checker.check_model(model)


def trimmed(tokens: Iterable[int], skip: int) -> list[int]:
    """The output behind its beginning, without its end token and what comes after."""
    output = list(tokens)[skip:]
    return output[: output.index(END)] if END in output else output


@torch.no_grad()
def goldens(model: PreTrainedModel, prompts: list[list[int]] = PROMPTS) -> list[dict]:
    """Logits after every token of the greedy output, greedy outputs, and the n-best lists of beam search."""
    encodes = model.config.is_encoder_decoder
    rows = []
    for ids in SOURCES if encodes else prompts:
        given = torch.tensor([ids])
        forced = model.generation_config.forced_bos_token_id is not None
        options = {
            "attention_mask": torch.ones_like(given), "max_new_tokens": NEW_TOKENS + forced, "do_sample": False,
            "pad_token_id": PAD,
        }
        greedy = model.generate(given, **options)[0]
        beams = model.generate(
            given, **options, num_beams=4, num_return_sequences=4, output_scores=True, return_dict_in_generate=True,
            length_penalty=1.0, early_stopping=False,
            # What is never output has no probability.
            renormalize_logits=True,
        )
        skip = (2 if forced else 1) if encodes else len(ids)
        fed = greedy[:-1][None]
        logits = (model(input_ids=given, decoder_input_ids=fed) if encodes else model(input_ids=fed)).logits[0]
        rows.append({
            "source": ids,
            "fed": fed[0].tolist(),
            "logits": [[round(value, 5) for value in row] for row in logits.tolist()],
            "greedy": trimmed(greedy.tolist(), skip),
            "beam": [trimmed(row.tolist(), skip) for row in beams.sequences],
            "scores": [round(score, 6) for score in beams.sequences_scores.tolist()],
        })
    return rows


def export(model: PreTrainedModel, folder: Path, graphs: tuple[str, ...], place: str) -> None:
    encodes = model.config.is_encoder_decoder
    with tempfile.TemporaryDirectory() as scratch:
        for merged in (False, True):
            task = "text2text-generation-with-past" if encodes else "text-generation-with-past"
            onnx_export_from_model(model, output=scratch, task=task, do_validation=False, no_post_process=not merged)
        for name in ("config.json", "generation_config.json"):
            shutil.copy(Path(scratch, name), folder / name)
        (folder / place).mkdir(exist_ok=True)
        for graph in graphs:
            loaded = onnx.load(Path(scratch, f"{graph}.onnx"))
            shorten(loaded)
            onnx.save(loaded, folder / place / f"{graph}.onnx")


def weights_model(weights: Path) -> PreTrainedModel:
    config = transformers.AutoConfig.from_pretrained(weights)
    if getattr(config, "share_encoder_decoder_embeddings", True):
        return transformers.AutoModelForSeq2SeqLM.from_pretrained(weights).eval()
    # transformers makes both tables of the size of the source's.
    model = transformers.AutoModelForSeq2SeqLM.from_config(config)
    table = torch.nn.Embedding(config.decoder_vocab_size, config.d_model)
    model.model.set_decoder_input_embeddings(table)
    model.lm_head.weight = table.weight
    missing, unexpected = model.load_state_dict(load_file(weights / "model.safetensors"), strict=False)
    assert not unexpected and all("embed_positions" in name or name == "lm_head.weight" for name in missing), (missing, unexpected)
    return model.eval()


def write_counted(folder: Path) -> None:
    """A decoder that counts positions in its mask, by a graph without an input for them, as exporters of other years wrote it."""
    config = OPTConfig(
        vocab_size=len(TOKENS), hidden_size=16, word_embed_proj_dim=16, ffn_dim=20, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=48, pad_token_id=PAD, eos_token_id=END, bos_token_id=START, tie_word_embeddings=False,
    )
    torch.manual_seed(0)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    model = transformers.OPTForCausalLM(config).eval()
    randomise(model, 40)
    (folder / "expected.json").write_text(json.dumps(goldens(model, [*PROMPTS[:2], *PADDED_PROMPTS]), separators=(",", ":")) + "\n")
    given = model_configs.OPTOnnxConfig.inputs
    model_configs.OPTOnnxConfig.inputs = property(
        lambda self: {name: axes for name, axes in given.fget(self).items() if name != "position_ids"}
    )
    export(model, folder, ("model",), "")
    model_configs.OPTOnnxConfig.inputs = given
    letters(False).save(str(folder / "tokenizer.json"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    for seed, (kind, (config, place, graphs)) in enumerate(KINDS.items()):
        torch.manual_seed(0)
        folder = args.out / kind
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        kind_of = transformers.AutoModelForSeq2SeqLM if config.is_encoder_decoder else transformers.AutoModelForCausalLM
        model = kind_of.from_config(config).eval()
        randomise(model, seed)
        # Exporting changes the model.
        (folder / "expected.json").write_text(json.dumps(goldens(model), separators=(",", ":")) + "\n")
        export(model, folder, graphs, place)
        letters(config.is_encoder_decoder).save(str(folder / "tokenizer.json"))
    write_counted(args.out / "opt")
    # A model of several languages, and one whose sources have a vocabulary of their own; their goldens are those of the weights.
    for kind in ("m2m100", "marian-separate"):
        weights = args.out.parent / "encoder-decoder" / kind
        folder = args.out / kind
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        export(weights_model(weights), folder, ("encoder_model", "decoder_model_merged"), "onnx")
    # What the smaller files of such repositories hold: products in 8 bits, with scales made of each input as a whole.
    onnx_folder = args.out / "marian" / "onnx"
    for graph in ("encoder_model", "decoder_model_merged"):
        quantize_dynamic(onnx_folder / f"{graph}.onnx", onnx_folder / f"{graph}_quantized.onnx", extra_options={"EnableSubgraph": True})
        loaded = onnx.load(onnx_folder / f"{graph}_quantized.onnx")
        shorten(loaded)
        onnx.save(loaded, onnx_folder / f"{graph}_quantized.onnx")
    # Weights beside the graph.
    model_file = args.out / "llama" / "onnx" / "model.onnx"
    onnx.save(
        onnx.load(model_file), model_file, save_as_external_data=True, all_tensors_to_one_file=True,
        location="model.onnx_data", size_threshold=64,
    )


if __name__ == "__main__":
    main()
