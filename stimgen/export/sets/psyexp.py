"""Writes an experiment for PsychoPy's Builder that shows every stimulus of a set and takes an answer."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

from typing_extensions import override

from stimgen.export.sets.base import Exporter
from stimgen.export.sets.contents import SetContents
from stimgen.export.sets.psychopy import CONDITIONS, write_conditions
from stimgen.images.write import open_png

FILE = "experiment.psyexp"
# An older Builder refuses files of a newer one; what a newer one has learnt since gets its defaults.
BUILDER = "2023.1.0"
Params = Mapping[str, tuple[str, str]]

SETTINGS: Params = {
    "Experiment info": ("{'participant': '', 'session': '001'}", "code"),
    "Full-screen window": ("True", "bool"),
    "Units": ("pix", "str"),
    "color": ("$[0,0,0]", "color"),
    "colorSpace": ("rgb", "str"),
    "expName": ("stimuli", "str"),
    "Show info dlg": ("True", "bool"),
}
PICTURE: Params = {
    "name": ("picture", "code"),
    "image": ("$stimulus_file", "file"),
    "size": ("$(width, height)", "list"),
    "units": ("pix", "str"),
    "interpolate": ("nearest", "str"),
    "startVal": ("0.5", "code"),
    "stopType": ("duration (s)", "str"),
    "stopVal": ("1.0", "code"),
}
ANSWER: Params = {
    "name": ("key_resp", "code"),
    "allowedKeys": ("'f','j','space'", "list"),
    "startVal": ("0.5", "code"),
    "stopType": ("duration (s)", "str"),
    "stopVal": ("3.0", "code"),
    "forceEndRoutine": ("True", "bool"),
}
LOOP: Params = {
    "name": ("trials", "code"),
    "conditionsFile": (CONDITIONS, "file"),
    "endPoints": ("[0, 1]", "num"),
    "isTrials": ("True", "bool"),
    "loopType": ("random", "str"),
    "nReps": ("1", "num"),
}
CHANGES_EACH_TRIAL = ("image", "size")


class Psyexp(Exporter):
    """Writes an experiment for PsychoPy's Builder that opens and runs with the set, to be changed there."""

    name: Literal["psyexp"] = "psyexp"

    @override
    def write(self, contents: SetContents, target: Path) -> None:
        # Sizes in pixels, because an image component has no size of its own.
        write_conditions(contents, target, {"width": _measure_width, "height": _measure_height})
        (target / FILE).write_bytes(_format_experiment())


def _measure(data: bytes) -> tuple[int, int]:
    with open_png(io.BytesIO(data), Path("picture")) as image:
        return image.size


def _measure_width(data: bytes) -> int:
    return _measure(data)[0]


def _measure_height(data: bytes) -> int:
    return _measure(data)[1]


def _format_experiment() -> bytes:
    root = ElementTree.Element("PsychoPy2experiment", encoding="utf-8", version=BUILDER)
    _add_params(ElementTree.SubElement(root, "Settings"), SETTINGS)
    routine = ElementTree.SubElement(ElementTree.SubElement(root, "Routines"), "Routine", name="trial")
    for kind, params in (("ImageComponent", PICTURE), ("KeyboardComponent", ANSWER)):
        _add_params(ElementTree.SubElement(routine, kind, name=params["name"][0]), params)
    flow = ElementTree.SubElement(root, "Flow")
    _add_params(ElementTree.SubElement(flow, "LoopInitiator", loopType="TrialHandler", name="trials"), LOOP)
    ElementTree.SubElement(flow, "Routine", name="trial")
    ElementTree.SubElement(flow, "LoopTerminator", name="trials")
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _add_params(parent: ElementTree.Element, params: Params) -> None:
    for name, (value, kind) in params.items():
        updates = "set every repeat" if name in CHANGES_EACH_TRIAL else "constant"
        ElementTree.SubElement(parent, "Param", name=name, updates=updates, val=value, valType=kind)
