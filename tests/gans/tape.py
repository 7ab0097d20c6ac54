"""A recorder that does on the CPU what a CUDA graph does: it takes down every operation, and repeats them without
Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from gansynth.gans.engine.graphs import Terms


class _Taping(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.operations: list[tuple[Any, Any, Any, list[Tensor]]] = []

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if function is torch.ops.aten._local_scalar_dense.default:
            raise RuntimeError("Python waits for the device")
        out = function(*args, **(kwargs or {}))
        tensors = [leaf for leaf in tree_leaves(out) if isinstance(leaf, Tensor)]
        self.operations.append((function, *tree_map(lambda leaf: leaf, (args, kwargs or {})), tensors))
        return out


class Tape:
    """Operations read and write the tensors they read and wrote when they were taken down, and all other arguments
    stay what they were: numbers that Python computed, and what it decided upon them."""

    def __init__(self) -> None:
        self.taken = 0

    def rehearse(self, move: Callable[[], Terms]) -> None:
        move()
        move()

    def record(self, move: Callable[[], Terms]) -> tuple[Callable[[], None], Terms]:
        with _Taping() as taping:
            terms = move()
        self.taken += 1

        @torch.no_grad()
        def replay() -> None:
            for function, args, kwargs, written in taping.operations:
                out = function(*args, **kwargs)
                for old, new in zip(written, (t for t in tree_leaves(out) if isinstance(t, Tensor)), strict=True):
                    if old.untyped_storage().data_ptr() != new.untyped_storage().data_ptr():
                        old.copy_(new)

        return replay, terms
