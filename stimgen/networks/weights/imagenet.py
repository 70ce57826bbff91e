"""Downloads weights trained on ImageNet, as torchvision publishes them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.error import URLError

import torch
from pydantic import Field
from torch import Tensor
from typing_extensions import override

from stimgen.networks.weights.base import StateDictSpec, Weights, read_weights
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Text, validation_error

# SHA-256 of the publisher's files, or its first eight digits, which are part of a file's name, if the rest is
# unknown. Records hold the complete hash of the file that was used.
PINNED = {
    "alexnet": "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
    "resnet50": "0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a",
    "squeezenet1_0": "b66bff10",
    "squeezenet1_1": "b8a52dc049b60e4b6ab68ad0df457362afab8b6304b2febdc1650a5dab4d7e7b",
    "vgg11": "8a719046",
    "vgg13": "19584684",
    "vgg16": "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
    "vgg19": "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
}


FIRST = "IMAGENET1K_V1"


class ImagenetWeights(Weights):
    """Downloads torchvision's weights trained on ImageNet, once, into PyTorch's cache, and checks them."""

    phrase = "weights trained on ImageNet"
    papers = ("deng2009",)

    have_head = True
    short_form = r"IMAGENET1K_[A-Z0-9_]+"
    short_form_words = "a version that torchvision publishes, such as IMAGENET1K_V1"

    name: Literal["imagenet"] = "imagenet"
    version: Annotated[Text, Field(pattern=r"^IMAGENET1K_[A-Z0-9_]+$")] = FIRST
    """Name of the version in torchvision."""

    @classmethod
    @override
    def from_text(cls, text: str) -> dict[str, Any]:
        return {"name": "imagenet", "version": text}

    @property
    @override
    def trained(self) -> bool:
        return True

    @override
    def check_network(self, network: str) -> None:
        """Refuse a network without this version, and a version without a known hash."""
        if self.version == FIRST and network in PINNED:
            return
        versions = list_versions(network)
        if self.version not in versions:
            raise validation_error(
                f"torchvision publishes no weights {self.version} of {network}",
                given=self.version,
                allowed=versions,
                at="weights",
                hint=None if versions else "write `random`, or `{file: FILE, sha256: HASH}`",
            )
        raise validation_error(
            f"the whole SHA-256 of the weights {self.version} of {network} is not known to stimgen, and "
            "nothing is downloaded without it",
            at="weights",
            hint=f"download {find_url(network, self.version)}, take its hash (`sha256sum FILE`), and write "
            "`weights: {file: FILE, sha256: HASH}`",
        )

    def recipe(self, network: str) -> dict[str, Any]:
        """Return the publisher's file and its hash."""
        return {"name": self.name, "file": find_cache_path(network).name, "sha256": PINNED[network]}

    @override
    def is_available(self, network: str) -> bool:
        return find_cache_path(network).is_file()

    def load_tensors(self, spec: StateDictSpec) -> tuple[dict[str, Tensor], str]:
        """Return the tensors and the file's hash, downloading the file if necessary."""
        file = find_cache_path(spec.network)
        if not file.exists():
            _download(spec.network, file)
        return read_weights(file, PINNED[spec.network], spec)


def find_cache_path(network: str) -> Path:
    """Return the path at which PyTorch caches the weights of `network`."""
    return Path(torch.hub.get_dir()) / "checkpoints" / find_url(network).rpartition("/")[2]


def list_versions(network: str) -> list[str]:
    """Return the names of all weights that torchvision publishes for a network; none of another library."""
    import torchvision

    if network not in torchvision.models.list_models(module=torchvision.models):
        return []
    return [version.name for version in torchvision.models.get_model_weights(network)]


def find_url(network: str, version: str = FIRST) -> str:
    """Return where torchvision publishes weights."""
    import torchvision

    return str(torchvision.models.get_model_weights(network)[version].url)


def _download(network: str, file: Path) -> None:
    url, sha256 = find_url(network), PINNED[network]
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(file), hash_prefix=sha256, progress=True)
    except (URLError, OSError, RuntimeError) as error:
        raise StimgenError(
            f"the ImageNet weights of {network} are not in the cache and could not be downloaded ({error})",
            where=file,
            hint=f"download {url} on a computer with internet access (SHA-256 {sha256}) and copy it to the "
            "path above; or use `weights: random`, which needs no download",
        ) from None
