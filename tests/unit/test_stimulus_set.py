"""The set as an object: what a notebook and an experiment see."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from hand_made import Wanted, write_set
from PIL import Image

import stimgen
from stimgen import StimulusSet
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.store import record_file
from stimgen.stimulus_set.table import TABLE_COLUMNS


@pytest.fixture
def stimuli(tmp_path: Path) -> StimulusSet:
    return StimulusSet(write_set(tmp_path / "set").folder)


def test_the_table_has_one_row_a_stimulus(stimuli: StimulusSet) -> None:
    table = stimuli.table
    assert list(table.index) == stimuli.store.read_plan().ids
    assert [table.index.name, *table.columns] == list(TABLE_COLUMNS)
    assert table.groupby("source").seed.sum().to_dict() == {"brick": 3, "coffee": 3}
    assert table.seed.dtype == int
    assert table.loss_end.dtype == float


def test_pictures_by_id(stimuli: StimulusSet) -> None:
    for stimulus, content in ((s, r.content) for s, r in stimuli.records.items()):
        channels = 1 if content.source.id == "brick" else 3
        for found, file in (
            (stimuli.image(stimulus), content.file),
            (stimuli.original(stimulus), content.source.original.file),
        ):
            assert found.dtype == np.uint8
            assert found.shape == (10, 12, channels)
            wanted = np.asarray(Image.open(stimuli.folder / file)).reshape(found.shape)
            assert np.array_equal(found, wanted)
        assert not np.array_equal(stimuli.image(stimulus), stimuli.original(stimulus))


def test_an_unknown_id_gets_the_nearest_match(stimuli: StimulusSet) -> None:
    known = next(iter(stimuli.records))
    mistyped = known[:-1] + ("0" if known[-1] != "0" else "1")
    for ask in (stimuli.image, stimuli.original):
        with pytest.raises(StimgenError, match=f"no stimulus '{mistyped}'") as caught:
            ask(mistyped)
        assert f"did you mean '{known}'?" in str(caught.value)


def test_an_id_is_no_path(stimuli: StimulusSet) -> None:
    with pytest.raises(StimgenError, match="no stimulus"):
        stimuli.image("../../secret")


def test_a_record_that_points_elsewhere_shows_nothing(stimuli: StimulusSet, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "private.png")
    stimulus = next(iter(stimuli.records))
    record = stimuli.folder / record_file(stimulus)
    file = stimuli.records[stimulus].content.file
    record.write_text(record.read_text().replace(f'"{file}"', '"../private.png"'))
    with pytest.raises(StimgenError, match="leads out of the set's folder"):
        StimulusSet(stimuli.folder).image(stimulus)


class TestRepresentation:
    """One line, and a picture in a notebook."""

    def test_a_complete_set(self, stimuli: StimulusSet) -> None:
        assert repr(stimuli) == f"<StimulusSet {str(stimuli.folder)!r}: 4 stimuli, complete>"
        assert len(stimuli) == 4
        assert stimuli.complete

    def test_an_unfinished_set(self, tmp_path: Path) -> None:
        stimuli = StimulusSet(write_set(tmp_path / "set", unfinished=1).folder)
        assert repr(stimuli).endswith(": 3 stimuli, not complete>")
        assert (len(stimuli), len(stimuli.table), stimuli.complete) == (3, 3, False)

    def test_a_set_with_nothing_finished(self, tmp_path: Path) -> None:
        stimuli = StimulusSet(write_set(tmp_path / "set", unfinished=4).folder)
        assert list(stimuli.table.columns) == list(TABLE_COLUMNS)[1:]
        assert "0 stimuli, not complete" in stimuli._repr_html_()
        assert "<img" not in stimuli._repr_html_()

    def test_a_notebook_shows_the_contact_sheet(self, stimuli: StimulusSet) -> None:
        found = re.search(r'src="data:image/png;base64,([^"]+)"', stimuli._repr_html_())
        assert found is not None
        shown = Image.open(io.BytesIO(base64.b64decode(found[1])))
        assert np.array_equal(shown, stimuli.contact_sheet())

    def test_a_folders_name_is_no_html(self, tmp_path: Path) -> None:
        folder = tmp_path / "<img src=x onerror=alert(1)>'\"&amp;"
        html = StimulusSet(write_set(folder, Wanted(sources=("brick",))).folder)._repr_html_()
        assert html.count("<img") == 1
        assert "&lt;img src=x onerror=alert(1)&gt;" in html
        assert "&amp;amp;" in html


def test_text_and_path_are_folders_alike(stimuli: StimulusSet) -> None:
    assert list(StimulusSet(str(stimuli.folder)).records) == list(stimuli.records)


def test_what_is_no_set_is_said(tmp_path: Path) -> None:
    with pytest.raises(StimgenError, match="is not a stimulus set"):
        StimulusSet(tmp_path)


def test_the_package_offers_it() -> None:
    assert stimgen.StimulusSet is StimulusSet
    assert "StimulusSet" in dir(stimgen)
    with pytest.raises(AttributeError, match="no attribute 'StimulusSets'"):
        _ = stimgen.StimulusSets
