"""What is set while a GPU computes, what it cannot do, and what it does instead: checked without a GPU."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.functional import adaptive_avg_pool2d
from torch.utils._python_dispatch import TorchDispatchMode

from stimgen.cli import main as cli
from stimgen.computation.averaging import average_to_size, multiply_averages, weigh_positions
from stimgen.execution.determinism import WORKSPACE, compute_deterministically
from stimgen.execution.device import reproducible_computation
from stimgen.networks.stable_operations import StableOperations
from stimgen.reading.errors import StimgenError
from stimgen.synthesis.methods import ObjectiveMethod

CUDA, MPS = torch.device("cuda"), torch.device("mps")

# Every way in which a program may have asked for TF32, each in a process of its own.
SCRIPT = """
import os, sys, torch
from stimgen.execution.determinism import compute_deterministically

matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
ASKED = (
    "",
    "matmul.allow_tf32 = True",
    "torch.set_float32_matmul_precision('medium')",
    "cudnn.allow_tf32 = False",
    "matmul.fp32_precision = 'tf32'",
    "cudnn.conv.fp32_precision = 'tf32'",
    "cudnn.conv.fp32_precision = 'ieee'",
    "torch.backends.fp32_precision = 'tf32'",
)

def read():
    found = []
    old, new = [(matmul, "allow_tf32"), (cudnn, "allow_tf32")], (matmul, cudnn.conv)
    for owner, name in [*old, *((each, "fp32_precision") for each in new), (cudnn, "benchmark")]:
        try:
            found.append(getattr(owner, name))
        except RuntimeError:  # what PyTorch says to a mixture
            found.append("refused")
    return found

for asked in ASKED:
    if os.fork():
        assert os.wait()[1] == 0, asked
        continue
    exec(asked)
    before = read()
    with compute_deterministically():
        assert matmul.fp32_precision == cudnn.conv.fp32_precision == "ieee"
        assert torch.are_deterministic_algorithms_enabled() and cudnn.deterministic and not cudnn.benchmark
    assert read() == before, (before, read())
    assert not torch.are_deterministic_algorithms_enabled()
    break
"""


@pytest.mark.long
def test_tf32_is_off_however_it_was_asked_for_and_comes_back_afterwards() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_settings_come_back_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(WORKSPACE, raising=False)
    seen = []

    def fail() -> None:
        with compute_deterministically():
            filled = torch.utils.deterministic.fill_uninitialized_memory
            seen.append((torch.get_deterministic_debug_mode(), filled, os.environ[WORKSPACE]))
            raise KeyError

    torch.set_deterministic_debug_mode("warn")
    try:
        with pytest.raises(KeyError):
            fail()
        assert seen == [(2, False, ":4096:8")]
        assert torch.get_deterministic_debug_mode() == 1
        assert torch.utils.deterministic.fill_uninitialized_memory
    finally:
        torch.set_deterministic_debug_mode("default")


def test_a_processor_is_left_alone() -> None:
    with reproducible_computation(torch.device("cpu")):
        assert not torch.are_deterministic_algorithms_enabled()


# Words of PyTorch's own errors.
MISSING = NotImplementedError(
    "The operator 'aten::_linalg_eigh' is not currently implemented for the MPS device. As a temporary fix, "
    "you can set the environment variable `PYTORCH_ENABLE_MPS_FALLBACK=1` to use the CPU as a fallback."
)
TOO_PRECISE = TypeError(
    "Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't support float64. Please use "
    "float32 instead."
)
NO_FIXED_BITS = RuntimeError(
    "adaptive_avg_pool2d_backward_cuda does not have a deterministic implementation, but you set "
    "'torch.use_deterministic_algorithms(True)'. You can turn off determinism just for this operation"
)


@pytest.mark.parametrize(
    ("device", "error", "told"),
    [
        (MPS, MISSING, ["'aten::_linalg_eigh'", "mps", "--device cpu", "PYTORCH_ENABLE_MPS_FALLBACK=1"]),
        (MPS, TOO_PRECISE, ["float64", "mps", "--device cpu"]),
        (CUDA, NO_FIXED_BITS, ["'adaptive_avg_pool2d_backward_cuda'", "cuda", "--device cpu"]),
    ],
)
def test_what_a_device_cannot_do_is_told(device: torch.device, error: Exception, told: list[str]) -> None:
    with pytest.raises(StimgenError) as caught, reproducible_computation(device):
        raise error
    assert all(words in str(caught.value) for words in told)
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", [RuntimeError("CUDA out of memory"), TypeError("a mistake"), KeyError("x")])
def test_other_errors_pass(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, reproducible_computation(CUDA):
        raise error
    assert caught.value is error


def test_a_user_sees_one_screen_and_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*_: object) -> None:
        raise NO_FIXED_BITS

    monkeypatch.setattr(ObjectiveMethod, "run", run)
    monkeypatch.setattr(sys, "argv", ["stimgen", "generate", "smoke", "-q", "-o", str(tmp_path / "set")])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    shown = capsys.readouterr().err
    assert caught.value.code not in (0, None)
    assert "adaptive_avg_pool2d_backward_cuda" in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize(("height", "width"), [(6, 4), (5, 3), (12, 8), (1, 1), (7, 8)])
def test_averages_by_products_are_those_of_pytorch(height: int, width: int) -> None:
    maps = torch.rand(2, 3, 12, 8, generator=torch.Generator().manual_seed(0), requires_grad=True)
    expected = adaptive_avg_pool2d(maps, (height, width))
    shown = torch.rand(expected.shape, generator=torch.Generator().manual_seed(1))
    (gradient,) = torch.autograd.grad((expected * shown).sum(), maps)
    down, across = (torch.from_numpy(weigh_positions(*sides)).float() for sides in ((12, height), (8, width)))
    for found in (down @ maps @ across.T, multiply_averages(maps, height, width)):
        torch.testing.assert_close(found, expected)
        torch.testing.assert_close(torch.autograd.grad((found * shown).sum(), maps)[0], gradient)
    elsewhere = average_to_size(torch.empty(2, 3, 12, 8, device="meta"), (height, width))
    assert elsewhere.shape == expected.shape
    assert torch.equal(average_to_size(maps, (height, width)), expected)


@pytest.mark.parametrize(
    ("size", "expected"), [(6, (6, 6)), ((6, None), (6, 8)), ((1, 1), (1, 1)), (8, (8, 8))]
)
def test_networks_average_without_the_gradient_that_a_gpu_refuses(
    size: Any, expected: tuple[int, int]
) -> None:
    pool = torch.nn.AdaptiveAvgPool2d(size)
    maps = torch.empty(2, 3, 8, 8, device="meta", requires_grad=True)
    with OperationWatch() as watch:
        with StableOperations():
            found = pool(maps)
        torch.autograd.grad(found.sum(), maps)
    assert found.shape == (2, 3, *expected)
    assert "aten._adaptive_avg_pool2d_backward.default" not in watch.names
    there = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    assert torch.equal(average_to_size(there, size), pool(there))


class OperationWatch(TorchDispatchMode):
    """Notes the names of operations."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.add(str(function))
        return function(*args, **(kwargs or {}))
