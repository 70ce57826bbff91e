"""Random orders in which trials of the same source are kept apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

from stimgen.reading.errors import StimgenError
from stimgen.reading.random_numbers import RandomStream


def check_gap(gap: int, sources: int, trials: int) -> None:
    """Refuse to keep sources farther apart than is possible where all come equally often.

    In a repeated order of n sources n - 1 others lie between two of the same; no order does better.

    Parameters
    ----------
    gap : int
        Trials that must lie between two of a source.
    sources : int
        How many sources take turns.
    trials : int
        How many trials they share.

    Raises
    ------
    StimgenError
        The gap cannot be kept; with the largest that can.
    """
    if gap >= sources and trials > sources:
        raise StimgenError(
            f"{sources} source{'s'[: sources > 1]} cannot be kept {gap} trials apart",
            hint=f"the largest source_gap that can be kept is {sources - 1}",
        )


def draw_spaced_order(
    labels: Sequence[str], gap: int, before: Sequence[str], stream: RandomStream
) -> list[int]:
    """Return a random order in which no label comes again within `gap` places, nor soon after `before`.

    At every place a label is drawn among those that are far enough from their last place, each weighted by
    how many of it are left; where one is so frequent that it could not be placed any more if it waited, it
    comes first.

    Parameters
    ----------
    labels : sequence of str
        The source of every trial.
    gap : int
        Trials that must lie between two of a source.
    before : sequence of str
        The sources that came last, in order.
    stream : RandomStream
        Where the draws come from.

    Returns
    -------
    list of int
        Indices of `labels`.
    """
    if gap == 0:
        return stream.permutation(range(len(labels)))
    pools: dict[Hashable, list[int]] = {}
    for i in stream.permutation(range(len(labels))):
        pools.setdefault(labels[i], []).append(i)
    recent = list(before)
    order: list[int] = []
    draws = stream.uniforms(len(labels))
    for draw in draws:
        label = _draw_label(
            Counter({name: len(left) for name, left in pools.items()}), recent[-gap:], gap, draw
        )
        order.append(pools[label].pop())
        recent.append(str(label))
        if not pools[label]:
            del pools[label]
    return order


def _draw_label(left: Counter[Hashable], recent: Sequence[str], gap: int, draw: float) -> Hashable:
    """Return the label of the next place."""
    total = sum(left.values())
    free = [name for name in left if name not in recent]
    if not free:
        # Not where all labels come equally often and are more than the gap; elsewhere the next best.
        return min(left, key=lambda name: max(i for i, other in enumerate(recent) if other == name))
    # With n of a label among t trials, n - 1 gaps take (n - 1) (gap + 1) + 1 places at the least.
    most = max(left.values())
    ties = sum(count == most for count in left.values())
    urgent = [name for name in free if left[name] == most] if (most - 1) * (gap + 1) + ties >= total else free
    among = urgent or free
    at = draw * sum(left[name] for name in among)
    for name in among:
        at -= left[name]
        if at < 0:
            return name
    return among[-1]
