"""Writes a MATLAB file with all pictures of a set, and a script that shows them with Psychtoolbox."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from stimgen.export.sets.base import Exporter
from stimgen.export.sets.contents import SetContents
from stimgen.export.sets.picture_stacks import PictureStack, describe_set, list_stacks, list_typed_columns
from stimgen.reading.errors import StimgenError

MAT_FILE, SCRIPT = "stimuli.mat", "show_stimuli.m"
LARGEST = 2**31 - 1
"""Bytes that a variable of this version of MATLAB's format can have."""
# The first bytes of the file tell the time of writing; the same set is to give the same file.
HEADER, HEADER_BYTES = b"MATLAB 5.0 MAT-file, written by stimgen", 116

SHOW = """% Shows every stimulus of this set for half a second with Psychtoolbox. Any key ends it early.
% stimuli.mat holds:
%   pictures{i}    rows x columns (grey) or rows x columns x 3, uint8 or uint16
%   originals{i}   the photograph that stimulus i was made from, as the model saw it
%   stimuli        a structure with one field for each column of the set's table
%   about          title, authors, licence and citation of the set
folder = fileparts(mfilename('fullpath'));
set = load(fullfile(folder, 'stimuli.mat'));
window = Screen('OpenWindow', max(Screen('Screens')), 128);
for i = 1:numel(set.pictures)
    picture = set.pictures{i};
    if isa(picture, 'uint16')
        picture = double(picture) / 257;  % Screen shows levels from 0 to 255
    end
    texture = Screen('MakeTexture', window, picture);
    Screen('DrawTexture', window, texture);
    Screen('Flip', window);
    fprintf('%s\\n', set.stimuli.id{i});
    WaitSecs(0.5);
    Screen('Close', texture);
    if KbCheck, break, end
end
Screen('CloseAll');
"""


class Psychtoolbox(Exporter):
    """Writes stimuli.mat, pictures and table for MATLAB and Octave, and a script for Psychtoolbox."""

    name: Literal["psychtoolbox"] = "psychtoolbox"

    @override
    def write(self, contents: SetContents, target: Path) -> None:
        from scipy.io import savemat

        stacks = list_stacks(contents)
        pictures = _read_pictures(contents, stacks)
        columns = list_typed_columns(contents, stacks)
        rows = {column.name: column.values for column in columns}
        table = {name: _to_matlab(values) for name, values in rows.items() if "_index" not in name}
        variables = {
            "pictures": _to_cells([pictures[file] for file in rows["file"]]),
            "originals": _to_cells([pictures[file] for file in rows["original_file"]]),
            "stimuli": {name: cells for name, cells in table.items() if "_array" not in name},
            "about": describe_set(contents),
        }
        target.mkdir()
        savemat(str(target / MAT_FILE), variables, do_compression=True, oned_as="column")
        with (target / MAT_FILE).open("r+b") as file:
            file.write(HEADER.ljust(HEADER_BYTES))
        (target / SCRIPT).write_text(SHOW, encoding="ascii")


def _read_pictures(contents: SetContents, stacks: list[PictureStack]) -> dict[str, NDArray[Any]]:
    total = sum(int(np.prod(stack.size)) * stack.shape[3] // 8 for stack in stacks)
    if total > LARGEST:
        raise StimgenError(
            f"the pictures have {total / 2**30:.1f} GB, and a file of this format holds 2 GB",
            hint="use `--format hdf5`, which MATLAB reads as well",
        )
    return {
        picture.file: levels[:, :, 0] if levels.shape[2] == 1 else levels
        for stack in stacks
        for picture, levels in zip(stack.pictures, stack.read(contents), strict=True)
    }


def _to_cells(values: list[Any]) -> NDArray[Any]:
    """Return a column of cells."""
    cells = np.empty((len(values), 1), dtype=object)
    for i, value in enumerate(values):
        cells[i, 0] = value
    return cells


def _to_matlab(values: NDArray[Any] | list[str]) -> NDArray[Any]:
    return _to_cells(values) if isinstance(values, list) else values.reshape(-1, 1)
