"""A term of an objective: which network, layers, statistic and regions, and how much they count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from stimgen.networks import NETWORKS, AnyNetwork, Network
from stimgen.networks.embedded import Embedded
from stimgen.reading.model import Model, Number, Text, mistake
from stimgen.statistics import AnyStatistic
from stimgen.statistics.gram import Gram
from stimgen.statistics.regions import AnyRegions
from stimgen.statistics.regions.grid import Grid

Weight = Annotated[Number, Field(ge=0.0)]


def _kind_of_layers(value: Any) -> str:
    return "weighted" if isinstance(value, Mapping) else "list"


Layers = Annotated[
    Annotated[tuple[Text, ...], Tag("list")] | Annotated[dict[Text, Weight], Tag("weighted")],
    Discriminator(_kind_of_layers),
]


class Term(Model):
    """One term of an objective."""

    network: AnyNetwork = Field(default_factory=Embedded)
    """What turns the image into feature maps."""
    depth: Text | None = None
    """Cumulative layers by their deepest: in ``vgg19``, ``pool2`` is relu1_1, pool1 and pool2. Instead of
    `layers`."""
    layers: Layers | None = None
    """A list of layers, or a mapping of layers to weights. Instead of `depth`."""
    statistic: AnyStatistic = Field(default_factory=Gram)
    """What is measured in the feature maps."""
    weight: Weight = 1.0
    """Factor of the whole term."""
    regions: AnyRegions = Field(default_factory=Grid)
    """Where the statistic is pooled; 1x1 is the whole image, a texture."""

    @model_validator(mode="after")
    def _layers_exist(self) -> Term:
        if (self.depth is None) == (self.layers is None):
            raise mistake("say either `depth` or `layers`", at="layers" if self.layers else None)
        if self.depth is not None and self.depth not in self.network.depths():
            raise _unknown(self.network, "depth", self.depth)
        for name in self.layers or ():
            if name not in self.network.layers():
                raise _unknown(self.network, "layers", name)
        if self.layers is not None and not 0 < len(self.layers) == len(set(self.layers)):
            raise mistake("name at least one layer, and each once", at="layers")
        return self

    @property
    def layer_weights(self) -> dict[str, float]:
        """Every layer of the term with its weight, shallow to deep; `depth` is written out."""
        if isinstance(self.layers, dict):
            given = self.layers
        else:
            names = self.layers or self.network.depths()[self.depth or ""]
            given = dict.fromkeys(names, self.statistic.layer_weight(len(names)))
        return {name: given[name] for name in self.network.layers() if name in given}

    @property
    def parameters(self) -> int:
        """Number of parameters that the term measures in a source."""
        layers = self.network.layers()
        counts = (self.statistic.count(layers[name].channels) for name in self.layer_weights)
        return sum(counts) * self.regions.count

    def recipe(self) -> dict[str, Any]:
        """Return what determines the term's values, for identities and records."""
        return {
            "network": self.network.recipe(),
            "layers": self.layer_weights,
            "statistic": self.statistic.plain(),
            "weight": self.weight,
            "regions": self.regions.recipe(),
        }

    def needs(self) -> Iterator[tuple[str, int, int]]:
        """Yield every layer with the fewest rows and columns of positions that the regions need."""
        rows, columns = self.regions.positions
        for name in self.layer_weights:
            yield name, rows, columns


def _names(network: Network, key: str) -> list[str]:
    return list(network.depths() if key == "depth" else network.layers())


def _unknown(network: Network, key: str, name: str) -> PydanticCustomError:
    """Return the error of a depth or layer that the network does not have, with the networks that do."""
    kind = key.removesuffix("s")
    usual = [cls() for cls in NETWORKS.members.values() if not _needs_fields(cls)]
    having = [other.name for other in usual if isinstance(other, Network) and name in _names(other, key)]
    where = " or ".join(f"`network: {other}`" for other in having)
    return mistake(
        f"{network.name} has no {kind} {name!r}",
        given=name,
        allowed=_names(network, key),
        at=key,
        hint=f"it is a {kind} of {where}" if having and network.name not in having else None,
    )


def _needs_fields(cls: type[Model]) -> bool:
    return any(field.is_required() for field in cls.model_fields.values())
