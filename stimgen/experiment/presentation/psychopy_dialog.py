"""Asks for a participant in PsychoPy's dialog."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from stimgen.experiment.equipment.psychopy_part import EXTRA, import_psychopy
from stimgen.reading.errors import StimgenError
from stimgen.reading.extras import import_optional

PURPOSE = "a dialog"
PACKAGES = "libglib2.0-0 libegl1 libdbus-1-3 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1"


def ask_fields(title: str, fields: Mapping[str, str], problem: str = "") -> dict[str, str] | None:
    """Show a dialog and return the answers by field, or None if it was cancelled.

    `fields` holds what every field contains at first; `problem` tells what was wrong with previous answers.
    Raises `StimgenError` if PsychoPy, or a library that its dialogs need, is not installed.
    """
    gui = import_psychopy("gui")
    _check_libraries()
    dialog = gui.Dlg(title=title)
    if problem:
        dialog.addText(problem, color="#b00000")
    for name, answer in fields.items():
        dialog.addField(name, answer)
    # Otherwise the dialog explains asterisks that it does not have.
    dialog.validate()
    dialog.show()
    return {name: str(dialog.data[name]) for name in fields} if dialog.OK else None


def _check_libraries() -> None:
    """Raise StimgenError if a library is missing, because Qt would abort the whole process."""
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM", "xcb") != "xcb":
        return
    core = import_optional("PyQt6.QtCore", EXTRA, PURPOSE)
    plugins = Path(core.QLibraryInfo.path(core.QLibraryInfo.LibraryPath.PluginsPath))
    try:
        ctypes.CDLL(str(plugins / "platforms" / "libqxcb.so"))
    except OSError as error:
        raise StimgenError(
            f"{PURPOSE} cannot be shown: {error}",
            hint="name the participant with --participant, or install what Qt needs; on Debian: apt-get "
            f"install {PACKAGES}",
        ) from None
