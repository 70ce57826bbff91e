"""Runs `stimgen` commands as a user does, one after the other, and tells what the screen shows.

A command comes in as a line of JSON on standard input: a list of arguments. What happens goes out as lines of
JSON through the file descriptor whose number stands in the environment. The session itself is stimgen's own:
screens are watched, not replaced. With a folder in STIMGEN_TEST_PICTURES every scene is kept there, to be
looked at.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from stimgen.cli.main import main
from stimgen.experiment.design.trial import Trial
from stimgen.experiment.equipment.psychopy_part import import_psychopy, import_pyglet
from stimgen.experiment.frames.frame import Frame
from stimgen.experiment.presentation import psychopy_screen
from stimgen.experiment.presentation.presenter import SessionPresenter
from stimgen.experiment.presentation.screen import PressEvent, Scene
from stimgen.experiment.session.observers import psychopy as observer
from stimgen.workflow import display_check

CHANNEL, PICTURES = "STIMGEN_TEST_CHANNEL", "STIMGEN_TEST_PICTURES"


def tell(**event: Any) -> None:
    os.write(int(os.environ[CHANNEL]), json.dumps(event).encode() + b"\n")


class WatchedScreen(psychopy_screen.PsychopyScreen):
    """Tells of every change of what is shown, with what the graphics card holds just before the flip."""

    _new: Scene | None = None
    _untold: tuple[dict[str, Any], ...] = ()

    def _open_window(self) -> None:
        # Every window would spend a quarter of a second on PsychoPy's icon, which nobody sees.
        import_psychopy("visual")
        import_pyglet("window").Window.set_icon = lambda *_: None
        super()._open_window()

    def show(
        self, scene: Scene, due: float | None = None, on_flip: Sequence[Callable[[], None]] = ()
    ) -> float:
        self._new = scene if scene != self._visible else None
        self._drawn: np.ndarray | None = None
        ready = scene.frame.sha256 in self._pictures and all(
            text in self._text_drawer._texts for text in scene.texts
        )
        shown = super().show(scene, due, on_flip)
        if self._new is not None:
            differing = find_differing(scene, self._drawn)
            told = {
                "event": "scene",
                "frame": scene.frame.sha256,
                "texts": [writing.text for writing in scene.texts],
                "boxes": [writing.box for writing in scene.texts],
                "differs": count_outside(scene, differing),
                "ready": ready,
                "inked": count_inside(scene, differing),
                "time": shown,
            }
            self._untold = (*self._untold, told)
        return shown

    def read_presses(self) -> list[PressEvent]:
        # Told only now, because what is pressed before a session listens may be no answer.
        found = super().read_presses()
        self._tell_scenes()
        return found

    def close(self) -> None:
        self._tell_scenes()
        super().close()

    def _tell_scenes(self) -> None:
        untold, self._untold = self._untold, ()
        for told in untold:
            tell(**told)

    def _wait_until(self, due: float | None) -> None:
        if self._new is not None:
            self._drawn = np.asarray(self._window.getMovieFrame(buffer="back"))
            self._window.movieFrames.clear()
            keep(self._drawn)
        super()._wait_until(due)


def keep(drawn: np.ndarray) -> None:
    if PICTURES in os.environ:
        folder = Path(os.environ[PICTURES])
        Image.fromarray(drawn).save(folder / f"{len(list(folder.iterdir())):04}.png")


def find_differing(scene: Scene, drawn: np.ndarray | None) -> np.ndarray | None:
    """Return which pixels are not those of the frame as predicted; nothing where the sizes differ."""
    canvas = scene.frame.canvas()
    if drawn is None or drawn.shape != canvas.shape:
        return None
    red, green, blue = np.moveaxis(drawn != canvas, 2, 0)
    return red | green | blue


def count_outside(scene: Scene, differing: np.ndarray | None) -> int:
    """Return how many pixels outside of texts are not those of the frame as predicted."""
    if differing is None:
        return -1
    wrong = differing.copy()
    for left, top, width, height in (writing.box for writing in scene.texts):
        # A box may reach beyond the screen.
        wrong[max(0, top) : top + height, max(0, left) : left + width] = False
    return int(wrong.sum())


def count_inside(scene: Scene, differing: np.ndarray | None) -> int:
    """Return how many pixels of texts differ from the frame behind them."""
    if differing is None:
        return -1
    boxes = [writing.box for writing in scene.texts]
    return sum(int(differing[y : y + high, x : x + wide].sum()) for x, y, wide, high in boxes)


def watched_present(
    self: SessionPresenter,
    trial: Trial,
    frames: Sequence[Frame],
    *rest: Any,
    present: Any = SessionPresenter.present,
) -> Any:
    tell(event="trial", trial=trial.to_dict(), frames=[frame.sha256 for frame in frames])
    return present(self, trial, frames, *rest)


def run(arguments: list[str]) -> None:
    out, err = io.StringIO(), io.StringIO()
    began, code = time.monotonic(), 0
    sys.argv = ["stimgen", *arguments]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    tell(
        event="exit",
        code=code,
        out=out.getvalue(),
        err=err.getvalue(),
        torch="torch" in sys.modules,
        seconds=time.monotonic() - began,
    )


if __name__ == "__main__":
    # The refresh of a screen without one needs no long measurement.
    psychopy_screen.MEASURING_SECONDS = display_check.DEFAULT_SECONDS = 0.1
    display_check.PsychopyScreen = WatchedScreen  # type: ignore[misc] # the same
    observer.PsychopyScreen = WatchedScreen  # type: ignore[misc] # a screen that tells
    SessionPresenter.present = watched_present  # type: ignore[method-assign] # tells, then does the same
    for line in sys.stdin:
        run(json.loads(line))
