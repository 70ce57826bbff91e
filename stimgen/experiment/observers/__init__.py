"""Observers: who answers. One file each."""

from __future__ import annotations

from stimgen.experiment.observers.base import Observer

__all__ = ["Observer"]
