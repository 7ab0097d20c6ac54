"""Keep freed memory in the process: on the CPU, asking the kernel for fresh pages costs as much as the
arithmetic."""

from __future__ import annotations

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
_NEVER = 2**31 - 1


def keep_freed_memory() -> None:
    """Tell glibc not to return freed blocks to the kernel.

    Activations are megabytes each and live for milliseconds. By default every one of them is mapped anew and
    zeroed page by page; without that a training step takes about a fifth less (`benchmarks/train_step.py`).
    Elsewhere than on glibc it does nothing.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(_M_MMAP_MAX, 0)
        libc.mallopt(_M_TRIM_THRESHOLD, _NEVER)
    except (OSError, AttributeError):  # musl has no mallopt; nothing depends on it
        return
