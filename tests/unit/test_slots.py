"""How many stimuli are computed together follows from the picture's size, and from nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimgen.cli.plan_text import format_plan
from stimgen.execution.slots import CPU_SLOTS, choose_batch_size_rule, default_batch_size, limit_slots
from stimgen.protocol.load import load_protocol
from stimgen.workflow.plan import describe_plan

sides = st.integers(1, 8192)


@pytest.mark.parametrize(
    ("width", "height", "slots"),
    [
        (32, 32, 64),
        (128, 128, 64),
        (256, 256, 16),
        (257, 256, 8),
        (400, 400, 4),
        (512, 256, 8),
        (640, 640, 2),
    ],
)
def test_known_sizes(width: int, height: int, slots: int) -> None:
    assert default_batch_size("cuda", (height, width, 3)) == slots


@given(sides, sides, st.sampled_from([1, 3]), st.sampled_from(["cuda", "mps"]))
def test_a_gpu_gets_a_power_of_two_that_only_the_number_of_pixels_decides(
    height: int, width: int, channels: int, kind: str
) -> None:
    slots = default_batch_size(kind, (height, width, channels))
    assert slots in {2, 4, 8, 16, 32, 64}
    assert slots == 2 or slots * height * width <= 16 * 256 * 256
    assert slots == 64 or 2 * slots * height * width > 16 * 256 * 256
    assert slots == default_batch_size("cuda", (width, height, 1))


@given(sides, sides)
def test_a_cpu_gets_two_of_any_size_and_the_user_what_is_asked_for(height: int, width: int) -> None:
    assert default_batch_size("cpu", (height, width, 3)) == CPU_SLOTS == 2
    assert choose_batch_size_rule("cuda", 7)((height, width, 3)) == 7
    assert choose_batch_size_rule("cuda", None)((height, width, 3)) == default_batch_size(
        "cuda", (height, width, 3)
    )


@given(st.integers(2, 4096), st.integers(1, 10**10))
def test_on_apples_gpus_no_tensor_of_a_batch_can_have_4_gib(slots: int, bytes_each: int) -> None:
    fewer = limit_slots("mps", slots, bytes_each)
    assert fewer == 2 or fewer * bytes_each < 2**32
    assert fewer == slots or 2 * (fewer + 1) * bytes_each >= 2**32
    assert limit_slots("cuda", slots, bytes_each) == limit_slots("cpu", slots, bytes_each) == slots


def test_the_plan_tells_them(tmp_path: Path) -> None:
    file = tmp_path / "sizes.yaml"
    file.write_text(
        "name: sizes\nsources:\n"
        "  - {file: 'skimage:coffee', size: 256}\n  - {file: 'skimage:brick', size: 300}\n"
        "conditions: [{id: texture, depth: scale1}]\n"
    )
    plan = describe_plan(load_protocol(file))
    assert plan["conditions"][0]["gpu_slots"] == [16, 8]
    assert "8, 16 in a batch on a GPU" in format_plan(plan)
