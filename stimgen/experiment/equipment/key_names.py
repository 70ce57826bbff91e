"""Lists PsychoPy's names of keys, so that a wrong one is found on a computer without PsychoPy.

Source: ``keyNamesWin``, ``keyNamesMac`` and ``keyNamesLinux`` of ``psychopy/hardware/keyboard.py``, PsychoPy
2026.2.5. A test compares the list with the PsychoPy that is installed. A session asks PsychoPy itself for the
names of its own system.
"""

from __future__ import annotations

from string import ascii_lowercase, digits
from typing import Final

from stimgen.reading.errors import StimgenError

EVERYWHERE: Final = (
    *digits,
    *ascii_lowercase,
    *(f"f{number}" for number in range(1, 13)),
    *("left", "right", "up", "down", "space", "return", "escape", "tab", "backspace"),
    *("delete", "home", "end", "pageup", "pagedown", "numlock", "lshift", "lctrl"),
    *("minus", "equal", "comma", "period", "slash", "backslash", "semicolon", "apostrophe"),
    *("bracketleft", "bracketright"),
    *(f"num_{digit}" for digit in digits),
    *("num_add", "num_subtract", "num_multiply", "num_divide"),
)
"""Names that Windows, macOS and Linux have."""
SOMEWHERE: Final = (
    *("capslock", "insert", "menu", "pause", "scrolllock", "quoteleft", "grave", "less", "pound"),
    *("lalt", "ralt", "rctrl", "rshift", "lwindows", "rwindows"),
    *("loption", "roption", "lcommand", "rcommand", "function"),
    *(f"f{number}" for number in range(13, 20)),
    *("num_enter", "num_decimal", "num_equal"),
)
"""Names that only some of these systems have."""
KEY_NAMES: Final = (*EVERYWHERE, *SOMEWHERE)

# What people write, where the spelling alone does not lead to the name.
_OTHER_WORDS = {
    "spacebar": "space",
    "enter": "return",
    "esc": "escape",
    "ctrl": "lctrl",
    "shift": "lshift",
    "alt": "lalt",
    ",": "comma",
    ".": "period",
    "-": "minus",
    "/": "slash",
    ";": "semicolon",
    "'": "apostrophe",
    "=": "equal",
    "[": "bracketleft",
    "]": "bracketright",
    "\\": "backslash",
    " ": "space",
}


def check_key_name(key: str, purpose: str) -> None:
    """Raise a `StimgenError` if no system has a key of this name; `purpose` says what it is for."""
    if key in KEY_NAMES:
        return
    meant = _OTHER_WORDS.get(key.lower()) or (key.lower() if key.lower() in KEY_NAMES else None)
    raise StimgenError(
        f"there is no key {key!r}, and it {purpose}",
        given=None if meant else key,
        allowed=KEY_NAMES,
        hint=f"did you mean {meant!r}?" if meant else None,
    )
