"""Weights trained on ImageNet, as torchvision publishes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal
from urllib.error import URLError

import torch
from torch import Tensor

from stimgen.networks.weights.base import Blueprint, Weights, read_weights
from stimgen.reading.errors import StimgenError

# Full SHA-256 of the publisher's files; the eight digits in a file's name are its beginning.
PINNED = {
    "vgg19": ("VGG19_Weights", "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44"),
}


class ImagenetWeights(Weights):
    """Trained on ImageNet; torchvision's file, downloaded once into PyTorch's cache and checked."""

    name: Literal["imagenet"] = "imagenet"
    trained: ClassVar[bool] = True

    def recipe(self, network: str) -> dict[str, Any]:
        """Return the publisher's file and its hash."""
        return {"name": self.name, "file": _url(network).rpartition("/")[2], "sha256": PINNED[network][1]}

    def tensors(self, blueprint: Blueprint) -> tuple[dict[str, Tensor], str]:
        """Return the tensors and the file's hash, downloading the file if it is not there."""
        file = cached_file(blueprint.network)
        sha256 = PINNED[blueprint.network][1]
        if not file.exists():
            _download(blueprint.network, file)
        return read_weights(file, sha256, blueprint), sha256


def cached_file(network: str) -> Path:
    """Return where PyTorch keeps, or would keep, the weights of `network`."""
    return Path(torch.hub.get_dir()) / "checkpoints" / _url(network).rpartition("/")[2]


def _url(network: str) -> str:
    import torchvision

    entry = getattr(torchvision.models, PINNED[network][0]).IMAGENET1K_V1
    return str(entry.url)


def _download(network: str, file: Path) -> None:
    url = _url(network)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(file), hash_prefix=PINNED[network][1], progress=True)
    except (URLError, OSError, RuntimeError) as error:
        raise StimgenError(
            f"the ImageNet weights of {network} are not here and could not be downloaded ({error})",
            where=file,
            hint=f"fetch {url} where there is a network (SHA-256 {PINNED[network][1]}) and put it at the "
            "place named above; or use the embedded `weights: random`, which needs no download",
        ) from None
