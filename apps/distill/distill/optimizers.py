"""Optimizers of a Transformer: the matrices of its layers by Muon (Jordan et al., 2024), everything else by AdamW."""
from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.optim import Optimizer


def adamw(parameters: Iterable[Tensor], rate: float) -> Optimizer:
    return torch.optim.AdamW(parameters, lr=rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True)


def matrix_optimizers(model: nn.Module, rate: float) -> list[Optimizer]:
    """Muon's steps are scaled to the size of AdamW's (Liu et al., 2025), so that one rate fits both."""
    matrices = [m.weight for m in model.modules() if isinstance(m, nn.Linear) and m.weight.requires_grad]
    taken = {id(p) for p in matrices}
    rest = [p for p in model.parameters() if p.requires_grad and id(p) not in taken]
    return [torch.optim.Muon(matrices, lr=rate, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"),
            adamw(rest, rate)]
