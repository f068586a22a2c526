"""Optimizers of a Transformer: its matrices by Muon (Jordan et al., 2024), everything else by AdamW."""
from __future__ import annotations

import torch
from torch import nn
from torch.optim import Optimizer


def matrix_optimizers(model: nn.Module, rate: float) -> list[Optimizer]:
    """Muon's steps are scaled to the size of AdamW's (Liu et al., 2025), so that one rate fits both."""
    embeddings = {id(p) for module in model.modules() if isinstance(module, nn.Embedding) for p in module.parameters()}
    matrices = [p for p in model.parameters() if p.requires_grad and p.ndim == 2 and id(p) not in embeddings]
    taken = {id(p) for p in matrices}
    rest = [p for p in model.parameters() if p.requires_grad and id(p) not in taken]
    return [torch.optim.Muon(matrices, lr=rate, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(rest, lr=rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True)]
