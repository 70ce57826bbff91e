"""What a test sees of the screen, and its hands at the keyboard and the mouse."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from watched import CHANNEL

SIZE = (640, 480)
PATIENCE = 90.0
"""Seconds after which nothing more is expected to happen, on however busy a machine."""

Event = dict[str, Any]


@dataclass(frozen=True)
class Display:
    """A display, and the file in which the X server keeps what is on it."""

    name: str
    memory: Path

    def picture(self) -> NDArray[np.uint8]:
        """Return what is on the screen: height x width x 3, from the server's own memory (XWD format)."""
        data = self.memory.read_bytes()
        header = np.frombuffer(data, ">u4", 25)
        size, width, height, bits, line, colours = (int(header[i]) for i in (0, 4, 5, 11, 12, 19))
        assert bits == 32
        rows = np.frombuffer(data, np.uint8, height * line, size + 12 * colours).reshape(height, line)
        pixels: NDArray[np.uint8] = rows[:, : 4 * width].reshape(height, width, 4)[:, :, 2::-1]
        return pixels

    def wait_for(self, wanted: Callable[[NDArray[np.uint8]], bool]) -> NDArray[np.uint8]:
        """Wait until what is on the screen is as wanted, and return it."""
        deadline = time.monotonic() + PATIENCE
        while not wanted(picture := self.picture()):
            assert time.monotonic() < deadline, "the screen never was as wanted"
            time.sleep(0.02)
        return picture


@dataclass
class Session:
    """What was seen of a session."""

    code: int
    out: str
    err: str
    trials: list[Event]
    scenes: list[Event]


@dataclass
class Room:
    """A process that runs sessions on a display."""

    environment: dict[str, str]
    seen: list[Event] = field(default_factory=list)

    def __enter__(self) -> Room:
        read, write = os.pipe()
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("watched.py"))],
            env={**self.environment, CHANNEL: str(write)},
            pass_fds=[write],
            stdin=subprocess.PIPE,
            text=True,
        )
        os.close(write)
        self._events, self._rest = read, b""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.communicate()
        os.close(self._events)

    def begin(self, *arguments: str | Path) -> None:
        """Begin a command, in a new process if a test that failed left the last one waiting."""
        if self.seen and self.seen[-1]["event"] != "exit":
            self.__exit__(None, None, None)
            self.__enter__()
        assert self.process.stdin is not None
        self.seen.clear()
        self.process.stdin.write(json.dumps([str(argument) for argument in arguments]) + "\n")
        self.process.stdin.flush()

    def next(self) -> Event:
        """Return the next thing that happens."""
        deadline = time.monotonic() + PATIENCE
        while b"\n" not in self._rest:
            ready, _, _ = select.select([self._events], [], [], max(0.0, deadline - time.monotonic()))
            piece = os.read(self._events, 2**16) if ready else b""
            if not piece:
                raise AssertionError(f"nothing happened any more, after {self.seen[-3:]}")
            self._rest += piece
        line, _, self._rest = self._rest.partition(b"\n")
        event: Event = json.loads(line)
        self.seen.append(event)
        return event

    def until(self, wanted: Callable[[Event], bool]) -> Event:
        """Return the next thing that is wanted."""
        while not wanted(event := self.next()):
            if event["event"] == "exit":
                raise AssertionError(f"the session ended: {event}")
        return event

    def page(self, beginning: str = "") -> Event:
        """Wait for a text."""
        return self.until(lambda e: any(text.startswith(beginning) for text in e.get("texts", ())))

    def stimulus(self) -> tuple[Event, Event]:
        """Wait for the last pictures of a trial; return the trial and the scene."""
        trial = self.until(lambda e: e["event"] == "trial")
        last = max(i for i, phase in enumerate(trial["trial"]["phases"]) if phase["kind"] == "stimulus")
        return trial, self.until(lambda e: e.get("frame") == trial["frames"][last])

    def end(self) -> Session:
        """Wait for the end of the command."""
        event = self.seen[-1] if self.seen and self.seen[-1]["event"] == "exit" else self.until_exit()
        assert not event["torch"], "torch was imported"
        trials = [e for e in self.seen if e["event"] == "trial"]
        scenes = [e for e in self.seen if e["event"] == "scene"]
        return Session(event["code"], event["out"], event["err"], trials, scenes)

    def until_exit(self) -> Event:
        """Return how the command ended."""
        while (event := self.next())["event"] != "exit":
            pass
        return event

    def press(self, *keys: str) -> None:
        """Press keys one after the other, as X names them."""
        # In one command, because a busy machine takes its time to start another.
        self._do(*(word for key in keys for word in ("keydown", key, "sleep", "0.03", "keyup", key)))

    def click(self, x: float, y: float, button: int = 1) -> None:
        """Click at a point, in pixels from the upper left corner."""
        self._do("mousemove", str(round(x)), str(round(y)), "click", str(button))

    def write(self, text: str) -> None:
        """Type a text."""
        self._do("type", "--delay", "60", text)

    def window(self, title: str, but: str = "") -> str:
        """Wait until a window with this title, another one than `but`, has the keyboard; return its number.

        Nothing is returned where the command tells of anything before, such as its end.
        """
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = self._told("search", "--onlyvisible", "--name", f"^{title}$")
            focus = self._told("getwindowfocus")
            if found and focus and focus[0] in found and focus[0] != but:
                return focus[0]
            if select.select([self._events], [], [], 0.05)[0]:
                return ""
        raise AssertionError(f"there never was a window {title!r}")

    def _told(self, *arguments: str) -> list[str]:
        command = ["xdotool", *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        return done.stdout.split()

    def _do(self, *arguments: str) -> None:
        subprocess.run(["xdotool", *arguments], env=self.environment, check=True)
