"""Synthesises textures as the DeepTextures notebook does: torchvision's whole VGG-19 and torch's L-BFGS.

Written from the description of the notebook in PyTorch: weights take gradients, the classifier runs too,
pooling is by maximum, memory is laid out by channels; layers conv1_1 (before rectification) and pool1 to
pool4; the image starts as uniform noise at one scale.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from stimgen.images.prepare import Pixels
from stimgen.networks.normalisation import DEVIATION, MEAN
from stimgen.networks.weights import RandomWeights, StateDictSpec
from stimgen.reading.random_numbers import uniform

# Indices into torchvision's `features`.
LAYERS = {"conv1_1": 0, "pool1": 4, "pool2": 9, "pool3": 18, "pool4": 27}
WEIGHT = 1e9


@dataclass(frozen=True)
class Curve:
    """Holds losses against time.

    Attributes
    ----------
    seconds, losses : list of float
        The loss of every evaluation, and the seconds since the beginning of the synthesis.
    """

    seconds: list[float]
    losses: list[float]

    @property
    def lowest(self) -> int:
        """The first evaluation, counted from 0, that found the lowest loss."""
        return self.losses.index(min(self.losses))


class _EnoughError(Exception):
    """Ends torch's L-BFGS between two of its inner iterations."""


class Notebook:
    """Has the network, layers, loss and optimiser of the notebook, with random orthogonal weights.

    Parameters
    ----------
    source : Pixels
        Height x width x 3, range [0, 1].
    device : torch.device
        The device to compute on.
    """

    def __init__(self, source: Pixels, device: torch.device) -> None:
        self._device = device
        self._model = _whole_vgg19().to(device)
        self._found: dict[str, Tensor] = {}
        for name, place in LAYERS.items():
            self._model.get_submodule(f"features.{place}").register_forward_hook(partial(self._keep, name))
        self._mean = torch.tensor(MEAN, device=device).view(1, 3, 1, 1)
        self._deviation = torch.tensor(DEVIATION, device=device).view(1, 3, 1, 1)
        self._shape = (1, 3, *source.shape[:2])
        with torch.no_grad():
            self._targets = {name: _products(maps) for name, maps in self._features(self._image(source))}

    def loss(self, image: Tensor) -> Tensor:
        """Return the sum over layers of w / (4 N^2 M^2) times the squared error of F F^T.

        Parameters
        ----------
        image : Tensor
            1 x 3 x height x width.
        """
        errors = []
        for name, maps in self._features(image):
            channels, positions = maps.shape[1], maps.shape[2] * maps.shape[3]
            error = (_products(maps) - self._targets[name]).square().sum()
            errors.append(WEIGHT / (4 * channels**2 * positions**2) * error)
        return torch.stack(errors).sum()

    def measure(self, image: Pixels) -> float:
        """Return the loss of a picture: height x width x 3."""
        with torch.no_grad():
            return float(self.loss(self._image(image)))

    def evaluate(self) -> None:
        """Evaluate loss and gradients once, at the start image."""
        self.loss(self._start(0).requires_grad_(True)).backward()  # type: ignore[no-untyped-call]  # torch: untyped

    def synthesize(self, seed: int, evaluations: int) -> Curve:
        """Minimise the loss from noise and return its course over so many evaluations."""
        image = self._start(seed).requires_grad_(True)
        # Twenty inner iterations and a history of one hundred are torch's own defaults.
        optimiser = torch.optim.LBFGS([image], line_search_fn="strong_wolfe")
        curve = Curve([], [])
        began = time.perf_counter()

        def closure() -> float:
            optimiser.zero_grad()
            loss = self.loss(image)
            loss.backward()  # type: ignore[no-untyped-call]  # torch gives it no types
            curve.losses.append(loss.item())
            curve.seconds.append(time.perf_counter() - began)
            if len(curve.losses) == evaluations:
                raise _EnoughError
            return curve.losses[-1]

        try:
            while True:
                optimiser.step(closure)  # type: ignore[no-untyped-call]  # torch gives it no types
        except _EnoughError:
            return curve

    def _keep(self, name: str, module: nn.Module, given: tuple[Tensor, ...], maps: Tensor) -> None:
        del module, given  # a hook is handed them
        self._found[name] = maps

    def _features(self, image: Tensor) -> list[tuple[str, Tensor]]:
        self._model((image - self._mean) / self._deviation)
        return list(self._found.items())

    def _image(self, picture: Pixels) -> Tensor:
        return torch.from_numpy(picture.transpose(2, 0, 1).copy()).unsqueeze(0).to(self._device)

    def _start(self, seed: int) -> Tensor:
        values = uniform(math.prod(self._shape), "notebook start", seed).reshape(self._shape)
        return torch.from_numpy(values).float().to(self._device)


def _products(maps: Tensor) -> Tensor:
    """Return F F^T, the products of all pairs of maps summed over positions."""
    flat = maps.flatten(2).squeeze(0)
    return flat @ flat.T


def _whole_vgg19() -> nn.Module:
    import torchvision

    with torch.device("meta"):
        model: nn.Module = torchvision.models.vgg19()
    features = model.get_submodule("features")
    shapes = {key: tuple(value.shape) for key, value in features.state_dict().items()}
    deepest = max(LAYERS.values())
    needed = {"features." + key: s for key, s in shapes.items() if int(key.partition(".")[0]) < deepest}
    state, _ = RandomWeights().load_tensors(StateDictSpec("vgg19", needed))
    # Nothing that is measured comes from what lies deeper, but the notebook waits for it: zeros will do.
    model.to_empty(device="cpu")
    for parameter in model.parameters():
        nn.init.zeros_(parameter)
    model.load_state_dict(state, strict=False)
    # In place, the rectification would write over conv1_1, which is measured.
    features.get_submodule("1").inplace = False  # type: ignore[assignment]  # a ReLU has this flag
    return model.eval()
