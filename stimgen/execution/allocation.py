"""Keeps freed memory on a CPU for the next tensor, instead of giving it back to the system."""

from __future__ import annotations

import ctypes
import sys
from functools import cache

# Options of glibc's malloc.h, in bytes: how much may be unused at the end of the main thread's heap before it
# is given back; how much more than needed is taken for a heap, and kept at the end of another thread's, which
# has 64 MiB at the most; from which size on an allocation is a mapping of its own.
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3
MALLOC_SETTINGS = {M_TRIM_THRESHOLD: 2**31 - 1, M_TOP_PAD: 2**26, M_MMAP_THRESHOLD: 2**30}


@cache
def keep_freed_memory() -> bool:
    """Let this process keep what tensors free, and return whether its allocator, glibc's, does so.

    Each evaluation frees and allocates the same feature maps. As mappings of their own they would cost a page
    fault for every 4 KiB: 43 % of the time of a worker of ``dask worker``, which sets
    ``MALLOC_TRIM_THRESHOLD_`` to 64 KiB, and 5 % of another process's (docs/performance.md).
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:  # another C library, such as musl
        return False
    return all(mallopt(name, size) == 1 for name, size in MALLOC_SETTINGS.items())
