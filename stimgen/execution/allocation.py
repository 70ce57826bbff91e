"""Memory on a processor: kept for the next tensor instead of being given back and asked for again."""

from __future__ import annotations

import ctypes
import sys
from functools import cache

# Of glibc's malloc.h, in bytes: how much may lie unused at the end of the main thread's heap before it is
# given back; how much more than needed is taken for a heap, and kept at the end of another thread's, which is
# 64 MiB at the most; above which size an allocation is a mapping of its own.
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3
MALLOC_SETTINGS = {M_TRIM_THRESHOLD: 2**31 - 1, M_TOP_PAD: 2**26, M_MMAP_THRESHOLD: 2**30}


@cache
def keep_freed_memory() -> bool:
    """Let this process keep what tensors free, so that the next evaluation need not have it zeroed again.

    Each evaluation frees and allocates the same feature maps. As mappings of their own they would cost a
    fault for every 4 KiB: 43 % of the time of a worker that ``dask worker`` started, which sets
    ``MALLOC_TRIM_THRESHOLD_`` to 64 KiB, 5 % of another process's (docs/performance.md).

    Returns
    -------
    bool
        Whether the allocator here is glibc's, and took it.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:  # another C library, such as musl
        return False
    return all(mallopt(name, size) == 1 for name, size in MALLOC_SETTINGS.items())
