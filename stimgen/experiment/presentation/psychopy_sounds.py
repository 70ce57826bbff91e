"""Plays the tones of feedback through PsychoPy."""

from __future__ import annotations

from typing import Any

from stimgen.experiment.equipment.psychopy_part import import_psychopy
from stimgen.experiment.schema.feedback import FeedbackKind, FeedbackTones
from stimgen.reading.errors import StimgenError

KINDS: tuple[FeedbackKind, ...] = ("correct", "wrong", "missed")


class TonePlayer:
    """Plays tones, which are made before the session so that they begin at once.

    Without a device for sound, StimgenError is raised.
    """

    def __init__(self, tones: FeedbackTones, seconds: float) -> None:
        try:
            make = import_psychopy("sound").Sound
            self._sounds: dict[FeedbackKind, Any] = {
                kind: make(
                    float(getattr(tones, kind)), secs=seconds, volume=float(tones.volume), autoLog=False
                )
                for kind in KINDS
            }
        except StimgenError:
            raise
        except Exception as error:
            # Every library of sounds has errors of its own, many of them plain exceptions.
            told = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise StimgenError(
                f"feedback by sound: this computer plays no sound ({told})",
                hint="connect headphones or a loudspeaker, or leave out sound in feedback.by",
            ) from None

    def play(self, kind: FeedbackKind) -> None:
        """Begin a tone, and end one that still sounds."""
        for sound in self._sounds.values():
            sound.stop()
        self._sounds[kind].play()
