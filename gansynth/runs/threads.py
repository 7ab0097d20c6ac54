"""On how many threads to compute, where other programs want the same processors.

The threads of one layer wait for each other at its end. Where another program holds a processor, all of them wait for
the one whose turn it is not, at every layer: a training on two threads of a busy machine has taken ten times as long as
on one. How much of a machine is free cannot be read off its number of processors, nor off its load: containers are
given shares, and hardware threads share arithmetic. So it is measured.
"""

from __future__ import annotations

import os
import time
from functools import lru_cache

import torch
from torch.nn import functional as F

SECONDS = 0.2
"""Each number of threads is tried for so long."""

CLEARLY = 1.4
"""Fewer threads are chosen where they are so many times as fast; else the more of them the better, as whatever else
runs may end first."""


def settle_threads(device: torch.device, recorded: int | None = None) -> str:
    """Let torch compute on as many threads as are fastest now, and return a sentence about it where they are fewer.

    Nothing changes on a GPU, nor where ``OMP_NUM_THREADS`` is set.

    Parameters
    ----------
    device : torch.device
        Where the networks are.
    recorded : int, optional
        On how many a training was computed that is to go on: on as many again, as sums round differently on others.
    """
    before = torch.get_num_threads()
    if device.type != "cpu" or "OMP_NUM_THREADS" in os.environ:
        return ""
    wanted = min(before, fastest_threads(before) if recorded is None else recorded)
    if wanted == before:
        return ""
    torch.set_num_threads(wanted)
    why = "other programs use the rest" if recorded is None else "as many as when it began"
    return f"computes on {wanted} of {before} processors: {why}; set OMP_NUM_THREADS to decide otherwise"


@lru_cache
def fastest_threads(most: int) -> int:
    """Return on how many threads, at most `most`, convolutions are fastest on this machine now.

    All of them, half of them, a quarter and so on are tried, for `SECONDS` each; once in a process.

    Examples
    --------
    >>> fastest_threads(1)
    1
    """
    tried = [most >> k for k in range(most.bit_length())]
    before = torch.get_num_threads()
    try:
        rates = [layers_per_second(n) for n in tried] if len(tried) > 1 else [1.0]
    finally:
        torch.set_num_threads(before)
    best, fastest = rates[0], tried[0]
    for n, rate in zip(tried, rates, strict=True):
        if rate > best * CLEARLY:
            best, fastest = rate, n
    return fastest


@torch.no_grad()
def layers_per_second(threads: int) -> float:
    """Return how many small convolutions this machine computes on so many threads now."""
    torch.set_num_threads(threads)
    images, weight = torch.ones(16, 32, 32, 32), torch.ones(32, 32, 3, 3)
    F.conv2d(images, weight, padding=1).relu_()  # the first call starts the threads
    began, layers = time.monotonic(), 0
    while (passed := time.monotonic() - began) < SECONDS:
        F.conv2d(images, weight, padding=1).relu_()
        layers += 1
    return layers / passed
