"""The last linear layer of a network, and what may stand in its place."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from gansynth.errors import InputError


def with_head(network: nn.Module, n_classes: int, make: Callable[[nn.Linear], nn.Module]) -> nn.Module:
    """Put what `make` returns for the network's last linear layer in its place; return the network.

    Raises
    ------
    InputError
        If no linear layer gives the logits.
    """
    heads = [name for name, module in network.named_modules() if _gives(module, n_classes)]
    if not heads:
        raise InputError(f"{type(network).__name__}: no linear layer gives its logits, and the remedy needs one")
    parent, _, own = heads[-1].rpartition(".")
    old = network.get_submodule(heads[-1])
    assert isinstance(old, nn.Linear)
    setattr(network.get_submodule(parent), own, make(old))
    return network


def _gives(module: nn.Module, n_classes: int) -> bool:
    return isinstance(module, nn.Linear) and module.out_features == n_classes
