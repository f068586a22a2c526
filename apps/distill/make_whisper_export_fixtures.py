"""Writes tiny random Whisper models as exporters write them, with what transformers computes of them: `spectra`, of several languages,
in the layout of transformers.js (two decoders in fp32, one merged decoder in fp16 and one with products in 8 bits), and `spectra-en`, of
English alone, in the layout of Optimum, with its weights beside the graph and few positions.

    python make_whisper_export_fixtures.py --out ../../packages/models/test/goldens/exports

Needs what make_export_fixtures.py needs.
"""
from __future__ import annotations

import argparse
import json
import math
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from make_export_fixtures import SPLIT, randomise, shorten
from onnxruntime.quantization import quantize_dynamic
from onnxruntime.transformers.float16 import convert_float_to_float16
from optimum.exporters.onnx import onnx_export_from_model
from optimum.onnx.graph_transformations import merge_decoders
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration
from transformers.generation import GenerationMixin
from transformers.generation.logits_process import (
    LogitsProcessor,
    SuppressTokensAtBeginLogitsProcessor,
    SuppressTokensLogitsProcessor,
    WhisperTimeStampLogitsProcessor,
)

RATE = 16_000
LANGUAGES = ["en", "de", "fr", "yue"]
# Of each row: two periods of what is heard, and what is to be done.
ROWS = [(5, 37, "en", "transcribe"), (9, 53, "de", "translate"), (3, 211, "yue", "transcribe"), (7, 19, None, "transcribe")]
# Length of each sound, and the two periods that it is made of.
SOUNDS = [[16_000, 5, 37], [4_000, 9, 53]]


@dataclass(frozen=True)
class Kind:
    """A model: the seed of its weights, whether it knows several languages, its sizes, and the most tokens of its outputs."""

    seed: int
    multilingual: bool
    layers: int
    heads: int
    mels: int
    positions: int
    new_tokens: int
    # A hundred a second, in a window.
    frames: int = 100
    encoder_layers: int = 1


# With these seeds no output has two timestamps in a row, after which Whisper's own generation would read a part of the window again.
KINDS = {"spectra": Kind(20, True, 2, 2, 8, 40, 16), "spectra-en": Kind(20, False, 1, 4, 10, 12, 9)}


def build_tokenizer(multilingual: bool) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=270, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(["the small house near the forest " * 4], trainer)
    # The tokenizers of models of English list languages and tasks as well.
    tasks = [*[f"<|{code}|>" for code in LANGUAGES], "<|translate|>", "<|transcribe|>"]
    special = ["<|endoftext|>", "<|startoftranscript|>", *tasks, "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in special])
    return tokenizer


def build_model(kind: Kind, tokenizer: Tokenizer) -> WhisperForConditionalGeneration:
    id_of = tokenizer.token_to_id
    # A timestamp every 20 ms of a window.
    size = tokenizer.get_vocab_size() + kind.frames // 2 + 1
    start, end = id_of("<|startoftranscript|>"), id_of("<|endoftext|>")
    config = WhisperConfig(
        vocab_size=size, d_model=16, encoder_layers=kind.encoder_layers, decoder_layers=kind.layers, encoder_attention_heads=kind.heads,
        decoder_attention_heads=kind.heads, encoder_ffn_dim=20, decoder_ffn_dim=20, num_mel_bins=kind.mels,
        max_source_positions=kind.frames // 2, max_target_positions=kind.positions, decoder_start_token_id=start, eos_token_id=end,
        bos_token_id=end, pad_token_id=end, suppress_tokens=None, begin_suppress_tokens=None,
    )
    model = WhisperForConditionalGeneration(config).eval()
    randomise(model, kind.seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            # Attention is not so sharp that a last digit of the sound decides what is heard.
            if "q_proj" in name or "k_proj" in name:
                parameter.mul_(0.5)
            # What is heard counts as much as what was said.
            elif "encoder_attn.v_proj" in name or "encoder_attn.out_proj" in name:
                parameter.mul_(1.5)
    generation = model.generation_config
    generation.suppress_tokens, generation.begin_suppress_tokens = [3, 40, 41, start], [220, end]
    generation.no_timestamps_token_id, generation.max_length = id_of("<|notimestamps|>"), kind.positions
    generation.is_multilingual = kind.multilingual
    if kind.multilingual:
        generation.lang_to_id = {f"<|{code}|>": id_of(f"<|{code}|>") for code in LANGUAGES}
        generation.task_to_id = {task: id_of(f"<|{task}|>") for task in ("transcribe", "translate")}
    return model


def features(kind: Kind, first: int, second: int) -> torch.Tensor:
    at = range(kind.mels * kind.frames)
    values = [math.sin(i / first) * math.cos(i / second) for i in at]
    return torch.tensor(values, dtype=torch.float32).reshape(1, kind.mels, kind.frames)


def sound(length: int, first: int, second: int) -> np.ndarray:
    return np.array([0.3 * math.sin(at / first) * math.cos(at / second) for at in range(length)], dtype=np.float32)


@torch.no_grad()
def goldens(model: WhisperForConditionalGeneration, kind: Kind, tokenizer: Tokenizer) -> dict:
    """Logits after every token of the greedy output, greedy outputs, and the n-best lists of beam search."""
    id_of, end = tokenizer.token_to_id, model.config.eos_token_id
    generation = model.generation_config

    def trimmed(tokens: list[int], skip: int) -> list[int]:
        output = tokens[skip:]
        return output[: output.index(end)] if end in output else output

    def transcribed(heard: torch.Tensor, code: str | None, task: str) -> list[int]:
        told = {"language": code, "task": task} if kind.multilingual else {}
        return trimmed(model.generate(heard, **told, do_sample=False, max_new_tokens=kind.new_tokens)[0].tolist(), 0)

    start, no_timestamps = model.config.decoder_start_token_id, id_of("<|notimestamps|>")
    plain = WhisperForConditionalGeneration.from_pretrained(None, config=model.config, state_dict=model.state_dict()).eval()
    plain.generation_config.suppress_tokens = plain.generation_config.begin_suppress_tokens = None

    rows = []
    for first, second, code, task in ROWS:
        heard = features(kind, first, second)
        if kind.multilingual:
            found = int(model.detect_language(input_features=heard, generation_config=generation)[0])
            language = tokenizer.id_to_token(found)[2:-2]
            prompt = [start, id_of(f"<|{code or language}|>"), id_of(f"<|{task}|>"), no_timestamps]
        else:
            language, code, task = "en", None, "transcribe"
            prompt = [start, no_timestamps]

        def plainly(prompt: list[int], *rules: LogitsProcessor, **options):
            # What Whisper's own generation adds to the plain one, which gives n-best lists with their scores.
            begins = SuppressTokensAtBeginLogitsProcessor(generation.begin_suppress_tokens, begin_index=len(prompt))
            return GenerationMixin.generate(
                plain, inputs=heard, decoder_input_ids=torch.tensor([prompt]), max_new_tokens=kind.new_tokens, do_sample=False,
                logits_processor=[begins, SuppressTokensLogitsProcessor(generation.suppress_tokens), *rules], pad_token_id=end,
                return_dict_in_generate=True, output_scores=True, **options,
            )

        greedy = plainly(prompt).sequences[0].tolist()
        beams = plainly(
            prompt, num_beams=4, num_return_sequences=4, length_penalty=1.0, early_stopping=False, renormalize_logits=True
        )
        timed = prompt[:-1]
        timestamps = plainly(timed, WhisperTimeStampLogitsProcessor(generation, begin_index=len(timed))).sequences[0].tolist()
        assert trimmed(greedy, len(prompt)) == transcribed(heard, code, task), (greedy, transcribed(heard, code, task))
        fed = greedy[:-1]
        logits = model(input_features=heard, decoder_input_ids=torch.tensor([fed])).logits[0]
        rows.append({
            "periods": [first, second], "language": code, "heard": language, "task": task, "fed": fed, "begin": len(prompt),
            # Of every seventh token.
            "logits": [[round(value, 5) for value in row] for row in logits[:, ::7].tolist()],
            "greedy": trimmed(greedy, len(prompt)),
            "timestamps": trimmed(timestamps, len(timed)),
            "beam": [trimmed(row.tolist(), len(prompt)) for row in beams.sequences],
            "scores": [round(score, 6) for score in beams.sequences_scores.tolist()],
        })
    sounds = []
    extractor = WhisperFeatureExtractor(feature_size=kind.mels, chunk_length=kind.frames // 100)
    for numbers in SOUNDS:
        heard = extractor(sound(*numbers), sampling_rate=RATE, return_tensors="pt").input_features
        tokens = transcribed(heard, "fr", "transcribe")
        sounds.append({"sound": numbers, "greedy": tokens, "text": tokenizer.decode(tokens, skip_special_tokens=True)})
    suppressed = {"suppressed": generation.suppress_tokens, "first": generation.begin_suppress_tokens}
    return {"frames": kind.frames, "mels": kind.mels, "newTokens": kind.new_tokens, **suppressed, "rows": rows, "sounds": sounds}


def save(graph: onnx.ModelProto, path: Path) -> None:
    shorten(graph)
    onnx.save(graph, path)


def export(model: WhisperForConditionalGeneration, frames: int, folder: Path, graphs: Path, keeps: tuple[str, ...], reduces: bool) -> None:
    graphs.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        onnx_export_from_model(
            model, output=scratch, task="automatic-speech-recognition-with-past", do_validation=False, nb_max_frames=frames,
            # Exporting runs so many tokens, twice.
            sequence_length=min(16, model.config.max_target_positions // 2 - 2),
        )
        for name in ("config.json", "generation_config.json"):
            shutil.copy(Path(scratch, name), folder / name)
        for name in keeps:
            save(onnx.load(Path(scratch, f"{name}.onnx")), graphs / f"{name}.onnx")
        if not reduces:
            return
        for name in ("encoder_model", "decoder_model_merged"):
            quantised = Path(scratch, "quantised.onnx")
            quantize_dynamic(
                Path(scratch, f"{name}.onnx"), quantised, op_types_to_quantize=["MatMul"], extra_options={"EnableSubgraph": True}
            )
            save(onnx.load(quantised), graphs / f"{name}_quantized.onnx")
        # The converter makes no sound graphs of merged ones, so decoders are merged afterwards.
        halves = {name: convert_float_to_float16(onnx.load(Path(scratch, f"{name}.onnx"))) for name in SPLIT}
        save(halves["encoder_model"], graphs / "encoder_model_fp16.onnx")
        merged = merge_decoders(
            halves["decoder_model"], halves["decoder_with_past_model"], save_path=Path(scratch, "merged.onnx"), strict=False
        )
        save(merged, graphs / "decoder_model_merged_fp16.onnx")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    for name, kind in KINDS.items():
        torch.manual_seed(0)
        folder = args.out / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        tokenizer = build_tokenizer(kind.multilingual)
        model = build_model(kind, tokenizer)
        # Exporting changes the model.
        (folder / "expected.json").write_text(json.dumps(goldens(model, kind, tokenizer), separators=(",", ":")) + "\n")
        WhisperFeatureExtractor(feature_size=kind.mels, chunk_length=kind.frames // 100).save_pretrained(folder)
        PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|endoftext|>").save_pretrained(folder)
        for unused in ("tokenizer_config.json", "special_tokens_map.json"):
            (folder / unused).unlink(missing_ok=True)
        if kind.multilingual:
            export(model, kind.frames, folder, folder / "onnx", SPLIT, True)
        else:
            export(model, kind.frames, folder, folder, ("encoder_model", "decoder_model_merged"), False)
            path = folder / "decoder_model_merged.onnx"
            onnx.save(onnx.load(path), path, save_as_external_data=True, location=f"{path.name}_data", size_threshold=64)


if __name__ == "__main__":
    main()
