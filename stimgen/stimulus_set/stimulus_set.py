"""Offers a set in a folder, complete or not, as an object."""

from __future__ import annotations

import base64
import html
import io
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from stimgen.images.write import Levels, decode_png
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.confounds import compute_confounds
from stimgen.stimulus_set.contact_sheet import draw_contact_sheet
from stimgen.stimulus_set.record import Record
from stimgen.stimulus_set.store import Store
from stimgen.stimulus_set.table import list_table_columns, table_row

if TYPE_CHECKING:
    import pandas as pd


class StimulusSet:
    """Represents a stimulus set in a folder.

    Raises `StimgenError` where there is no set in the folder, or its plan is damaged. So do all methods and
    properties where a record is damaged, or a picture or a stimulus does not exist.
    """

    def __init__(self, folder: str | Path) -> None:
        self.store = Store.open(Path(folder))
        planned, finished = self.store.read_plan().ids, self.store.list_finished()
        self.complete = finished.issuperset(planned)
        """Whether every stimulus of the protocol is there."""
        self._ids = dict.fromkeys(stimulus for stimulus in planned if stimulus in finished)

    @property
    def folder(self) -> Path:
        """Return the set's folder."""
        return self.store.folder

    @cached_property
    def records(self) -> dict[str, Record]:
        """Return the record of every finished stimulus, by id; those of 100,000 take 2.5 GB of memory."""
        return {stimulus: self.store.read_record(stimulus) for stimulus in self._ids}

    @cached_property
    def table(self) -> pd.DataFrame:
        """Return the table of the finished stimuli, one row each, indexed by id."""
        import pandas as pd

        columns = list_table_columns(self.store.read_plan())
        rows = (tuple(table_row(self.store.read_record(one), columns).values()) for one in self._ids)
        return pd.DataFrame(rows, columns=list(columns)).set_index("id")

    def image(self, stimulus: str) -> Levels:
        """Return the picture of a stimulus: height x width x channels, uint8 or uint16, as it is encoded."""
        return self._read_levels(self._read_record(stimulus).content.file)

    def original(self, stimulus: str) -> Levels:
        """Return the source of a stimulus as the model saw it, in the form of `image`."""
        return self._read_levels(self._read_record(stimulus).content.source.original.file)

    def confounds(self) -> pd.DataFrame:
        """Return luminance, contrast, colour, spectral slope and edges of every condition.

        The table is indexed by condition, beginning with the originals; docs/quality.md defines the columns.
        """
        import pandas as pd

        return pd.DataFrame(compute_confounds(self.store)).set_index("condition")

    def contact_sheet(self) -> Image.Image:
        """Return a sheet of originals and stimuli."""
        return draw_contact_sheet(self.store)

    def __len__(self) -> int:
        """Return the number of finished stimuli."""
        return len(self._ids)

    def __repr__(self) -> str:
        """Return folder, number of stimuli and state in one line."""
        state = "complete" if self.complete else "not complete"
        return f"<StimulusSet {str(self.folder)!r}: {len(self)} stimuli, {state}>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: one line and the contact sheet."""
        line = f"<p>{html.escape(repr(self))}</p>"
        if not self._ids:
            return line
        buffer = io.BytesIO()
        self.contact_sheet().save(buffer, format="PNG")
        data = base64.b64encode(buffer.getvalue()).decode("ascii")
        return f'{line}<img alt="contact sheet" src="data:image/png;base64,{data}">'

    def _read_record(self, stimulus: str) -> Record:
        if stimulus not in self._ids:
            raise StimgenError(
                f"no stimulus {stimulus!r} in this set", given=stimulus, allowed=list(self._ids)
            )
        return self.store.read_record(stimulus)

    def _read_levels(self, file: str) -> Levels:
        return decode_png(self.store.read(file), self.folder / file)
