"""Simulates how an answer is typed."""

from __future__ import annotations

from stimgen.experiment.design.trial import Press


def simulate_typing(answer: str, seconds: float, *, letters: bool = True) -> tuple[Press, ...]:
    """Return the presses of an answer that return ends at `seconds` since the first picture.

    Letters are evenly spaced over the last half of this time, the first at its middle. Without `letters`
    return alone is pressed, as for "don't know".
    """
    typed = answer if letters else ""
    step = seconds / 2 / max(len(typed), 1)
    presses = [
        Press(answer=typed[: i + 1].strip(), key=letter, seconds=round(seconds / 2 + i * step, 6))
        for i, letter in enumerate(typed)
    ]
    return (*presses, Press(answer=answer, key="return", seconds=round(seconds, 6)))
