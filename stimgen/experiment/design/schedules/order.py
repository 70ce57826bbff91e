"""Draws random orders in which trials of the same source are kept apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stimgen.reading.errors import StimgenError
from stimgen.reading.random_numbers import RandomStream


def check_gap(gap: int, sources: int, trials: int) -> None:
    """Raise a `StimgenError` if `trials` trials of `sources` sources cannot keep a gap.

    All sources occur equally often. In a repeated order of n sources, n - 1 others lie between two of the
    same source, and no order does better.
    """
    if gap >= sources and trials > sources:
        raise StimgenError(
            f"{sources} source{'s'[: sources > 1]} cannot be kept {gap} trials apart",
            hint=f"the largest possible source_gap is {sources - 1}",
        )


def draw_spaced_order(
    labels: Sequence[str], gap: int, before: Sequence[str], stream: RandomStream
) -> list[int]:
    """Return the indices of `labels` in a random order with `gap` trials between two of the same label.

    Labels at the end of `before`, the preceding trials, count too. At every position a label is drawn among
    those that are far enough from their last position, weighted by how many trials of it are left. A label
    that is so frequent that it could not be placed later comes first.
    """
    if gap == 0:
        return stream.permutation(range(len(labels)))
    pools: dict[str, list[int]] = {}
    for i in stream.permutation(range(len(labels))):
        pools.setdefault(labels[i], []).append(i)
    recent = list(before)
    order: list[int] = []
    for draw in stream.uniforms(len(labels)):
        label = _draw_label({name: len(left) for name, left in pools.items()}, recent[-gap:], gap, draw)
        order.append(pools[label].pop())
        recent.append(label)
        if not pools[label]:
            del pools[label]
    return order


def _draw_label(left: Mapping[str, int], recent: Sequence[str], gap: int, draw: float) -> str:
    """Return the label of the next position; `draw` is a uniform random number."""
    total = sum(left.values())
    free = [name for name in left if name not in recent]
    if not free:
        # Impossible if all labels are equally frequent and outnumber the gap; otherwise take the oldest.
        return min(left, key=lambda name: max(i for i, other in enumerate(recent) if other == name))
    # With n of a label among t trials, n - 1 gaps take at least (n - 1) (gap + 1) + 1 positions.
    most = max(left.values())
    ties = sum(count == most for count in left.values())
    urgent = [name for name in free if left[name] == most] if (most - 1) * (gap + 1) + ties >= total else free
    among = urgent or free
    position = draw * sum(left[name] for name in among)
    for name in among:
        position -= left[name]
        if position < 0:
            return name
    return among[-1]
