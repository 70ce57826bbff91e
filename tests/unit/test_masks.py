"""Masks and cues: what they look like, that they follow from the trial alone, and what is refused."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hand_made_experiment import write_experiment, write_its_set
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stimgen.experiment.design.balance import BalanceTally
from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.design.trial import CueMark, Phase, Trial
from stimgen.experiment.frames.cue_marks import cue_box, draw_cue_mark
from stimgen.experiment.frames.placing import box_on_screen
from stimgen.experiment.frames.scramble import scramble_phases
from stimgen.experiment.schema.load import load_experiment
from stimgen.experiment.session.session import list_planned_trials
from stimgen.reading.errors import StimgenError
from stimgen.reading.random_numbers import uniform
from stimgen.workflow.prepared_experiment import PreparedExperiment

Canvas = NDArray[np.uint8]
Room = Callable[..., PreparedExperiment]
GREY = 128
ONE_PLACE = (
    "  name: oddity\n  angles: [90, 210, 330]\n  eccentricity: 4\n  oddball: original\n",
    "  name: yes_no\n  place: {angle: 0, eccentricity: 4}\n",
)
KEYS = ('  keys: {"1": up, "2": left, "3": right}\n', "  window: 3000 ms\n")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    write_its_set(folder)
    return folder


@pytest.fixture
def room(home: Path, tmp_path: Path) -> Room:
    def made(*changes: tuple[str, str]) -> PreparedExperiment:
        loaded = load_experiment(write_experiment(tmp_path, *changes))
        return PreparedExperiment.prepare(loaded, (home / "set",))

    return made


def timed(text: str) -> tuple[str, str]:
    """Return the change that adds keys to the timing."""
    return "  stimulus: 200 ms\n", f"  stimulus: 200 ms\n  {text}\n"


def trials(made: PreparedExperiment, label: str = "01") -> list[Trial]:
    return list_planned_trials(made.build_procedure(Participant(label)))


def find(trial: Trial, kind: str) -> list[Phase]:
    return [phase for phase in trial.phases if phase.kind == kind]


def draw(made: PreparedExperiment, trial: Trial) -> dict[int, Canvas]:
    """Return the screens of the phases, by their number, as they are drawn from the journal's line."""
    line = Trial.model_validate(json.loads(json.dumps(trial.to_dict())))
    return {i: frame.canvas() for i, frame in enumerate(made.frames.render_trial(line))}


def cut(canvas: Canvas, phase: Phase, picture: int = 0) -> Canvas:
    """Return what is seen at the place of a picture."""
    shown = (*phase.shown, *(cover.picture for cover in phase.covers))[picture]
    left = round(200 + shown.position[0] - shown.size[0] / 2)
    top = round(150 - shown.position[1] - shown.size[1] / 2)
    return canvas[top : top + shown.size[1], left : left + shown.size[0]]


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**53 - 1),
    sides=st.tuples(st.integers(4, 40), st.integers(4, 40)),
    reach=st.floats(0.0, 0.15),
)
def test_a_scrambled_picture_keeps_mean_contrast_and_spectrum(
    seed: int, sides: tuple[int, int], reach: float
) -> None:
    light = 0.5 + reach * (2 * uniform(3 * sides[0] * sides[1], "light", seed).reshape(*sides, 3) - 1)
    found = scramble_phases(light, seed)
    assert found.min() >= 0.0
    assert found.max() <= 1.0
    assert np.allclose(found.mean((0, 1)), light.mean((0, 1)), atol=1e-9)
    assert np.allclose(found.std((0, 1)), light.std((0, 1)), atol=1e-9)
    amplitudes = [np.abs(np.fft.fft2(one, axes=(0, 1))) for one in (found, light)]
    assert np.allclose(*amplitudes, atol=1e-8)
    assert np.array_equal(found, scramble_phases(light, seed))
    assert not np.allclose(found, scramble_phases(light, seed + 1)) or reach < 1e-6


def test_a_picture_of_black_and_white_is_scrambled_within_them() -> None:
    light = (uniform(64 * 64, "coin").reshape(64, 64, 1) < 0.2).astype(np.float64)
    found = scramble_phases(light, 1)
    assert found.min() >= 0.0
    assert found.max() <= 1.0
    assert abs(found.mean() - light.mean()) < 0.02
    assert abs(found.std() - light.std()) < 0.02


def test_masks_come_before_and_after_the_pictures(room: Room) -> None:
    after = "{name: texture, condition: coarse, source: other, duration: 50 ms}"
    made = room(
        ("  conditions: [fine, coarse]\n", "  conditions: [fine]\n"),
        timed(f"mask: {{before: scrambled, after: {after}}}"),
    )
    for trial in trials(made):
        before, afterwards = find(trial, "mask")
        assert [phase.kind for phase in trial.phases] == ["fixation", "mask", "stimulus", "mask"]
        assert (before.frames, afterwards.frames) == (6, 3)
        shown = find(trial, "stimulus")[0].shown
        assert tuple(cover.picture for cover in before.covers) == shown
        for cover, covered in zip(afterwards.covers, shown, strict=True):
            texture = cover.picture
            assert (texture.condition, texture.position) == ("coarse", covered.position)
            assert texture.source != trial.source
        assert len({cover.seed for cover in (*before.covers, *afterwards.covers)}) == 6
    screens, again = draw(made, trial), draw(made, trial)
    assert all(np.array_equal(screens[i], again[i]) for i in screens)
    scrambled, picture = (cut(screens[i], trial.phases[i], 1) for i in (1, 2))
    assert not np.array_equal(scrambled, picture)
    assert np.array_equal(np.where(screens[1] == screens[2], 0, 1)[:100, :100], np.zeros((100, 100, 3)))


def test_a_texture_that_masks_is_none_of_the_pictures(room: Room) -> None:
    made = room(
        ("  seeds: [1, 3]\n", ""),
        ("  conditions: [fine, coarse]\n", "  conditions: [fine]\n"),
        timed("mask: {name: texture, condition: fine}"),
    )
    for trial in trials(made):
        ids = {shown.id for shown in find(trial, "stimulus")[0].shown}
        covers = find(trial, "mask")[0].covers
        assert ids.isdisjoint(cover.picture.id for cover in covers)
        assert {cover.picture.source for cover in covers} == {trial.source}


@pytest.mark.parametrize("kind", ["noise, grain: 1", "scrambled", "texture, condition: coarse"])
@pytest.mark.parametrize("degrees", ["", "\n  size: {degrees: 1}"])
def test_masks_are_seen_through_the_aperture(room: Room, kind: str, degrees: str) -> None:
    made = room(
        ("  conditions: [fine, coarse]\n", "  conditions: [fine]\n"),
        ("  crop: {size: 8}", "  crop: {size: 12}"),
        ("  refresh_hz: 60", f"  refresh_hz: 60\n  aperture: {{diameter: 10, edge: 2}}{degrees}"),
        timed(f"mask: {{name: {kind}}}"),
    )
    trial = trials(made)[0]
    screens = draw(made, trial)
    picture, mask = (cut(screens[i], trial.phases[i]) for i in (1, 2))
    corners = np.ix_((0, -1), (0, -1))
    assert (picture[corners] == GREY).all()
    assert (mask[corners] == GREY).all()
    assert np.ptp(mask[4:-4, 4:-4].astype(int)) > 20


def test_noise_without_an_aperture_is_that_of_before(room: Room) -> None:
    trial = trials(room(timed("mask: {grain: 2}")))[0]
    (mask,) = find(trial, "mask")
    assert len(mask.mask) == 3
    assert "covers" not in mask.to_dict()


def test_square_noise_of_a_journal_of_before_is_drawn_in_any_aperture(room: Room) -> None:
    aperture = ("  refresh_hz: 60", "  refresh_hz: 60\n  aperture: {edge: 2}")
    made = room(aperture, timed("mask: {grain: 1}"))
    trial = trials(made)[0]
    boxes = tuple(box_on_screen(made.viewing, cover.picture) for cover in trial.phases[2].covers)
    before = trial.phases[2].model_copy(update={"covers": (), "mask": boxes})
    old = trial.model_copy(update={"phases": (*trial.phases[:2], before)})
    square, round_ = (cut(draw(made, one)[2], trial.phases[2]) for one in (old, trial))
    corners = np.ix_((0, -1), (0, -1))
    assert (round_[corners] == GREY).all()
    assert (square[corners] != GREY).any()


def test_noise_before_the_pictures_is_not_that_after_them(room: Room) -> None:
    made = room(timed("mask: {before: {}, after: {}}"))
    trial = trials(made)[0]
    screens = draw(made, trial)
    assert not np.array_equal(screens[1], screens[3])


CUE = "cue: {duration: 100 ms, gap: 50 ms, validity: [valid, neutral, invalid], mark: %s, degrees: 1}"


@pytest.mark.parametrize("mark", ["ring", "dot", "line"])
def test_cues_mark_the_place_the_opposite_place_or_both(room: Room, mark: str) -> None:
    made = room(ONE_PLACE, KEYS, ("repetitions: 3", "repetitions: 2"), timed(CUE % mark))
    found = [trial for trial in trials(made) if not trial.practice]
    assert Counter(trial.levels["cue"] for trial in found) == {"valid": 8, "neutral": 8, "invalid": 8}
    for trial in found:
        assert [phase.kind for phase in trial.phases] == ["fixation", "cue", "gap", "stimulus"]
        assert [phase.frames for phase in trial.phases] == [30, 6, 3, 12]
        screens = draw(made, trial)
        black = (screens[1] != screens[0]).any(2)
        assert set(np.unique(screens[1][black])) == {0}
        sides = {"left": bool(black[:, :195].any()), "right": bool(black[:, 205:].any())}
        expected = {"valid": (False, True), "invalid": (True, False), "neutral": (True, True)}
        assert tuple(sides.values()) == expected[str(trial.levels["cue"])]
        assert np.array_equal(screens[0], screens[2])


def test_cues_may_be_valid_in_most_trials(room: Room) -> None:
    cue = "cue: {validity: {valid: 3, invalid: 1}}"
    made = room(ONE_PLACE, KEYS, ("repetitions: 3", "repetitions: 4"), timed(cue))
    procedure = made.build_procedure(Participant("01"))
    found = [trial for trial in list_planned_trials(procedure) if not trial.practice]
    counts = Counter((trial.levels["condition"], trial.balanced["cue"], trial.correct) for trial in found)
    assert counts == {
        (condition, cue, answer): {"valid": 3, "invalid": 1}[str(cue)]
        for condition in ("fine", "coarse")
        for cue in ("valid", "invalid")
        for answer in ("yes", "no")
    }
    for trial in found:
        (mark,) = find(trial, "cue")[0].cues
        assert (mark.ends[0] > 0) == (trial.balanced["cue"] == "valid")
    tally = BalanceTally(procedure.design, ())
    tally.add(procedure.experiment.schedule.list_decisions(procedure.design))
    assert next(count for count in tally.counts if "cue" in count.what).exact


def test_the_only_picture_may_be_at_several_places_to_which_cues_point(room: Room) -> None:
    places = "[{angle: 0, eccentricity: 4}, {angle: 90, eccentricity: 3}, {angle: 180, eccentricity: 4}]"
    several = (ONE_PLACE[0], ONE_PLACE[1].replace("{angle: 0, eccentricity: 4}", places))
    made = room(several, KEYS, timed(CUE % "dot"))
    found = [trial for trial in trials(made) if not trial.practice]
    counts = Counter((trial.levels["cue"], trial.balanced["place"]) for trial in found)
    assert set(counts.values()) == {4}
    positions = {trial.balanced["place"]: find(trial, "stimulus")[0].shown[0].position for trial in found}
    assert len(set(positions.values())) == 3
    other = {1: 3, 2: 1, 3: 1}
    for trial in found:
        place = int(str(trial.balanced["place"]))
        wanted = {"valid": {place}, "invalid": {other[place]}, "neutral": {1, 2, 3}}[str(trial.levels["cue"])]
        assert {mark.ends[:2] for mark in find(trial, "cue")[0].cues} == {positions[one] for one in wanted}


def test_every_interval_can_have_a_cue(room: Room) -> None:
    spatial = "  angles: [90, 210, 330]\n  eccentricity: 4\n"
    temporal = (spatial, "  layout: temporal\n")
    (first, *_) = trials(room(temporal, timed("cue: {interval: every}")))
    assert [phase.interval for phase in find(first, "cue")] == [1, 2, 3]
    (first, *_) = trials(room(temporal, timed("cue: {}")))
    assert [phase.interval for phase in find(first, "cue")] == [1]


@given(
    ends=st.tuples(*[st.integers(-80, 80)] * 4),
    width=st.integers(1, 30),
    shape=st.sampled_from(["dot", "ring"]),
)
def test_a_mark_fills_its_box_and_no_more(ends: tuple[int, int, int, int], width: int, shape: str) -> None:
    line = CueMark(shape="line", ends=ends, width=width)
    left, top, wide, high = cue_box(line, (400, 300))
    covered = draw_cue_mark(line, (400, 300))
    assert covered.shape == (high, wide)
    x = (200 + np.array(ends[0::2])).mean() - left
    y = (150 - np.array(ends[1::2])).mean() - top
    assert covered[min(int(y), high - 1), min(int(x), wide - 1)] or width < 2
    around = CueMark.model_validate({"shape": shape, "ends": (*ends[:2], *ends[:2]), "width": width})
    disc = draw_cue_mark(around, (400, 300))
    assert np.array_equal(disc, disc[::-1])
    assert np.array_equal(disc, disc[:, ::-1])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mask: {name: fog}", ("timing.mask", "no such mask", "scrambled")),
        ("mask: fog", ("timing.mask", "no such mask", "scrambled")),
        ("mask: texture", ("timing.mask.condition", "missing")),
        ("mask: {kind: noise}", ("timing.mask", "unknown key 'kind'")),
        ("mask: {name: texture}", ("timing.mask.condition", "missing")),
        ("mask: {name: texture, condition: fin}", ("timing.mask.condition", "'fin'", "'fine'")),
        ("mask: {name: texture, condition: fine}", ("timing.mask", "none is left", "source: other")),
        ("mask: {before: {name: texture, condition: x}}", ("timing.mask.before.condition", "'x'")),
        ("mask: {before: {duration: 20 ms}}", ("timing.mask.before.duration", "1.20 frames")),
        ("mask: {grain: 0}", ("timing.mask.grain",)),
        ("cue: {validity: [valid, invalid], degrees: 40}", ("not on the screen", "degrees")),
        ("cue: {validity: [valid, valid]}", ("timing.cue.validity", "named twice")),
        ("cue: {validity: {valid: 4, wrong: 1}}", ("timing.cue.validity", "wrong", "invalid")),
        ("cue: {validity: {valid: 0, invalid: 1}}", ("timing.cue.validity.valid", "0")),
        ("cue: {validity: {valid: 4}}", ("timing.cue.validity", "at least 2")),
        ("cue: {validity: often}", ("timing.cue.validity", "often", "valid")),
        ("cue: {gap: 20 ms}", ("timing.cue.gap", "1.20 frames")),
    ],
)
def test_masks_and_cues_that_cannot_be_shown_are_refused(
    room: Room, text: str, said: tuple[str, ...]
) -> None:
    seeds = ("  seeds: [1, 3]\n", "  seeds: [1]\n  again: same\n")
    with pytest.raises(StimgenError) as error:
        room(seeds, ("  crop: {size: 8}\n", ""), timed(text))
    assert all(part in str(error.value) for part in said), str(error.value)


@pytest.mark.parametrize(
    ("place", "text", "said"),
    [
        ("{angle: 0, eccentricity: 0}", "cue: {mark: line}", ("cannot point", "mark: ring")),
        ("{angle: 0, eccentricity: 0}", "cue: {validity: neutral}", ("across fixation", "validity: valid")),
    ],
)
def test_cues_to_fixation_are_refused(room: Room, place: str, text: str, said: tuple[str, ...]) -> None:
    where = (ONE_PLACE[0], ONE_PLACE[1].replace("{angle: 0, eccentricity: 4}", place))
    with pytest.raises(StimgenError) as error:
        room(where, KEYS, timed(text))
    assert all(part in str(error.value) for part in said), str(error.value)
