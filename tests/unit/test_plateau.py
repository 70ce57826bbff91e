"""Pictures stop when they have nearly stopped changing: which, when, and alone or in company."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from stimgen.images.prepare import Pixels
from stimgen.reading.generators import run_generator
from stimgen.stimulus_set.citing import methods_sentences
from stimgen.synthesis.evaluation import Evaluation
from stimgen.synthesis.methods import ObjectiveMethod, SynthesisBatch, SynthesisItem, SynthesisResult
from stimgen.synthesis.optimisers.lbfgs import Lbfgs
from stimgen.synthesis.optimisers.lbfgsb import Lbfgsb
from stimgen.synthesis.optimisers.optimiser_batch import OptimisationResult, SynthesisStep, run_descent
from stimgen.synthesis.optimisers.plateau import CHANGE, PlateauDetector
from stimgen.synthesis.optimisers.preconditioned_lbfgs import PreconditionedLbfgs
from stimgen.synthesis.settings import SynthesisSettings
from stimgen.synthesis.term import Term

OPTIMISERS = [Lbfgs(), PreconditionedLbfgs(), Lbfgsb()]


def look(change: float, rows: tuple[int, int] = (0, 1)) -> list[bool]:
    """Return what is found of two pictures, of which the second changes everywhere by `change`."""
    detector = PlateauDetector(lambda variables: variables)
    first = torch.full((2, 3, 4, 4), 0.5)
    assert detector.find_settled(first, [0, 1]) == [False, False]
    second = first.clone()
    second[1] += change
    return detector.find_settled(second[list(rows)], list(rows))


def test_five_thousandths_of_the_range_are_the_limit() -> None:
    assert look(0.0049) == [True, True]
    assert look(0.0051) == [True, False]
    assert look(0.0051, (1, 0)) == [False, True]


def test_what_is_clipped_does_not_count() -> None:
    detector = PlateauDetector(lambda variables: variables * 2)
    assert detector.find_settled(torch.full((1, 1, 2, 2), 0.6), [0]) == [False]
    assert detector.find_settled(torch.full((1, 1, 2, 2), 5.0), [0]) == [True]


def test_pictures_are_looked_at_every_five_evaluations_from_the_fifteenth_on() -> None:
    detector = PlateauDetector(lambda variables: variables)
    assert [k for k in range(1, 31) if detector.is_due(k)] == [15, 20, 25, 30]


def test_pictures_that_go_on_in_another_precision_may_stop_after_five_evaluations() -> None:
    picture, moved = torch.full((1, 3, 4, 4), 0.5), torch.full((1, 3, 4, 4), 0.6)
    detector = PlateauDetector(lambda variables: variables, {1: picture[0]})
    assert [k for k in range(1, 16) if detector.is_due(k)] == [5, 10, 15]
    # The first was not done before, so that nothing is known of it until the second look.
    assert detector.find_settled(torch.cat([picture, picture]), [0, 1]) == [False, True]
    assert detector.find_settled(torch.cat([picture, moved]), [0, 1]) == [True, False]


def descend(
    optimiser: Lbfgs | PreconditionedLbfgs | Lbfgsb, start: torch.Tensor, *, shrink: bool = True
) -> tuple[OptimisationResult, list[SynthesisStep]]:
    curvatures = torch.logspace(0, 5, start[0].numel()).reshape(start.shape[1:])

    def evaluate(images: torch.Tensor, _: torch.Tensor) -> Evaluation:
        return Evaluation(
            (curvatures * images.square() / 2).flatten(1).sum(1, keepdim=True), curvatures * images
        )

    batch = optimiser.begin(start, None, noisy=False)
    steps: list[SynthesisStep] = []
    plateau = PlateauDetector(lambda variables: variables + 0.5)
    descent = run_descent(batch, evaluate, 400, shrink=shrink, plateau=plateau)
    return run_generator(descent, steps.append), steps


@pytest.mark.parametrize("optimiser", OPTIMISERS, ids=lambda one: one.name)
def test_each_picture_stops_for_itself_at_the_lowest_point_seen(
    optimiser: Lbfgs | PreconditionedLbfgs | Lbfgsb,
) -> None:
    generator = torch.Generator().manual_seed(1)
    start = torch.randn(3, 3, 8, 8, generator=generator) * torch.tensor([0.3, 0.3, 0.001]).view(3, 1, 1, 1)
    whole, steps = descend(optimiser, start)
    assert whole.reasons == ["plateau"] * 3
    counts = [sum(row in step.rows for step in steps) for row in range(3)]
    assert counts[2] == 20 < min(counts[:2])  # the last begins where nothing is left to do
    assert all(count % 5 == 0 for count in counts)
    for row in range(3):
        lowest = min(step.losses[row] for step in steps if row in step.rows)
        curvatures = torch.logspace(0, 5, 192).reshape(3, 8, 8)
        found = float((curvatures * whole.images[row].square() / 2).sum())
        assert found == pytest.approx(lowest, rel=1e-4)
    part, _ = descend(optimiser, start[[2, 0]])
    assert torch.equal(part.images, whole.images[[2, 0]])
    kept, _ = descend(optimiser, start, shrink=False)
    assert torch.equal(kept.images, whole.images)


def draw_sources() -> list[Pixels]:
    """Return a picture of large squares and one of single pixels."""
    generator = np.random.default_rng(3)
    coarse = np.kron(generator.random((8, 8, 3)), np.ones((4, 4, 1))).astype(np.float32)
    return [coarse, generator.random((32, 32, 3)).astype(np.float32)]


def make_textures(sources: list[Pixels], stop: str, precision: str = "float32") -> SynthesisResult:
    settings = SynthesisSettings(
        scales=1, evaluations=160, optimiser="preconditioned_lbfgs", stop=stop, precision=precision
    )
    method = ObjectiveMethod(terms=(Term(network="embedded", layers=("relu1_1",)),), synthesis=settings)
    items = [
        SynthesisItem(source, settings.start.pixels(source.shape, ("s", 1), None), f"s{i}", (f"s{i}", 1))
        for i, source in enumerate(sources)
    ]
    return run_generator(method.run(SynthesisBatch(items, max(2, len(items))), torch.device("cpu")))


def test_a_texture_that_stops_is_the_beginning_of_the_longer_one() -> None:
    coarse, fine = draw_sources()
    stopped, longer = make_textures([coarse, fine], "plateau"), make_textures([coarse, fine], "evaluations")
    for i in range(2):
        count = len(stopped.traces[i])
        assert stopped.traces[i] == longer.traces[i][:count]
        assert stopped.reasons[i] == ("plateau" if count < 160 else "evaluations")
    assert "plateau" in stopped.reasons
    alone = make_textures([fine], "plateau")
    assert np.array_equal(alone.images[0], stopped.images[1])


def test_mixed_precision_ends_with_as_few_evaluations_in_float32_as_a_plateau_needs() -> None:
    sources = draw_sources()
    both = make_textures(sources, "plateau", "mixed")
    for i, source in enumerate(sources):
        # 120 evaluations at most in bfloat16, then 40 at most in float32.
        precise = [entry for entry in both.traces[i] if entry.evaluation > 120]
        assert both.reasons[i] == "plateau"
        assert len(precise) % 5 == 0 < len(precise) < 40
        alone = make_textures([source], "plateau", "mixed")
        assert np.array_equal(alone.images[0], both.images[i])
        assert alone.traces[0] == both.traces[i]


@pytest.mark.parametrize("optimiser", ["adam", "gradient"])
def test_steps_of_a_given_length_say_nothing_of_what_is_left(optimiser: str) -> None:
    with pytest.raises(ValidationError, match="finds the length of its steps") as error:
        SynthesisSettings(stop="plateau", optimiser=optimiser)
    assert "preconditioned_lbfgs" in str(error.value.errors())


def test_methods_paragraphs_tell_the_limit_that_is_applied() -> None:
    # The paragraph is written where there is no torch, so that the number stands there again.
    assert f"less than {100 * CHANGE:g} % of the range" in methods_sentences.PLATEAU
    assert f"{100 * CHANGE:g} % of the range" in str(SynthesisSettings.describe_field("stop"))


def test_older_protocols_keep_their_identities() -> None:
    assert "stop" not in SynthesisSettings().recipe()
    assert SynthesisSettings(stop="plateau").recipe()["stop"] == "plateau"
