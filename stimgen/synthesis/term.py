"""Describes a term of an objective: its network, layers, statistic and regions, and their weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, GetJsonSchemaHandler, Tag, model_validator
from pydantic_core import CoreSchema, PydanticCustomError

from stimgen.networks import NETWORKS, AnyNetwork, Network
from stimgen.networks.embedded import Embedded
from stimgen.reading.model import Model, Number, Text, validation_error
from stimgen.statistics import AnyStatistic, LayerSize
from stimgen.statistics.gram import Gram
from stimgen.statistics.regions import AnyRegions, Pooling
from stimgen.statistics.regions.grid import Grid

Weight = Annotated[Number, Field(ge=0.0)]

Layers = Annotated[
    Annotated[tuple[Text, ...], Tag("list")] | Annotated[dict[Text, Weight], Tag("weighted")],
    Discriminator(lambda value: "weighted" if isinstance(value, Mapping) else "list"),
]


class TargetSpec(Model):
    """Names another picture in which a target is measured, alone or together with the source."""

    picture: Text
    """The id of a source or of one of the `references`."""
    weight: Annotated[Number, Field(ge=0.0, le=1.0)] = 1.0
    """Its part of the target; the rest is the source's. 1: the picture alone, as in style transfer (Gatys,
    Ecker & Bethge 2016); between: an interpolation of the two (Vacher et al. 2020)."""
    along: Literal["linear", "wasserstein"] = "linear"
    """The path from the source's statistics to the picture's: ``linear`` in the statistic, or
    ``wasserstein``, the shortest path between distributions. Centred Gram matrices stand for normal
    distributions (Vacher et al. 2020)."""

    @model_validator(mode="before")
    @classmethod
    def _accept_bare_id(cls, data: Any) -> Any:
        return {"picture": data} if isinstance(data, str) else data

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the mapping's schema, with the bare id as another choice."""
        return {"anyOf": [{"type": "string"}, super().__get_pydantic_json_schema__(core, handler)]}


class TermFields(Model):
    """Holds the fields of a term that a condition may hold itself."""

    network: AnyNetwork = Field(default_factory=Embedded)
    """What turns the image into feature maps."""
    depth: Text | None = None
    """Cumulative layers by their deepest: in ``vgg19``, ``pool2`` is relu1_1, pool1 and pool2. Instead of
    `layers`."""
    layers: Layers | None = None
    """A list of layers, or a mapping of layers to weights. Instead of `depth`."""
    statistic: AnyStatistic = Field(default_factory=Gram)
    """What is measured in the feature maps."""
    regions: AnyRegions = Field(default_factory=Grid)
    """Where the statistic is pooled; 1x1 is the whole image, a texture."""
    target: TargetSpec | None = None
    """Another picture to measure than the source: its id, or ``{picture: ID, weight: 0.5}`` for a target
    between the two."""


class Term(TermFields):
    """Compares one statistic of some layers of a network."""

    weight: Weight = 1.0
    """Factor of the whole term."""

    @model_validator(mode="after")
    def _check_layers(self) -> Term:
        if (self.depth is None) == (self.layers is None):
            raise validation_error("say either `depth` or `layers`", at="layers" if self.layers else None)
        if self.depth is not None and self._find_layer(self.depth) not in self.network.depths():
            raise _unknown_layer_error(self.network, "depth", self.depth)
        names = [self._find_layer(name) for name in self.layers or ()]
        for name in names:
            if name not in self.network.layers():
                raise _unknown_layer_error(self.network, "layers", name)
        if self.layers is not None and not 0 < len(names) == len(set(names)):
            raise validation_error("name at least one layer, and each once", at="layers")
        return self

    def _find_layer(self, name: str) -> str:
        """Return a layer's own name for any of its names."""
        return self.network.layer_aliases().get(name, name)

    @model_validator(mode="after")
    def _check_regions(self) -> Term:
        flat = [name for name in self.layer_weights if not self.network.has_maps(name)]
        if flat and not self.regions.is_whole_image:
            raise validation_error(
                f"the layer {flat[0]!r} of {self.network.title} has no maps: it is one vector for the whole "
                "picture, so that nothing can be pooled in regions",
                at="regions",
                hint="write `regions: 1x1`, or name a layer before the pooling over all positions",
            )
        if self.regions.needs_receptive_fields:
            unknown = [name for name in self.layer_weights if self.network.receptive_field(name) is None]
            if unknown:
                raise validation_error(
                    f"{self.regions.name} regions need receptive fields, which are not known for the layer "
                    f"{unknown[0]!r} of {self.network.title}",
                    at="regions",
                )
        if self.target is not None and self.statistic.prior:
            raise validation_error(f"{self.statistic.name} is compared with no picture", at="target")
        if self.target is not None and self.target.along == "wasserstein" and not self.statistic.has_geodesic:
            raise validation_error(
                f"{self.statistic.name} has no `wasserstein` path between two pictures",
                at="target",
                hint="that needs a distribution, such as `gram` with `centred: true`",
            )
        return self

    @model_validator(mode="after")
    def _check_statistic(self) -> Term:
        name = self.statistic.name
        if not (self.statistic.pools or self.regions.is_whole_image):
            raise validation_error(
                f"{name} is measured over the whole image, not in regions",
                at="regions",
                hint="write `regions: 1x1` for this term",
            )
        if not (self.statistic.of_products or self.regions.sums_to_one):
            raise validation_error(
                f"{name} needs regions whose weights sum to one at every position; these are for products of "
                "features, as in `gram`",
                at="regions",
                hint="write `weighting: gram`, without `compat`",
            )
        fewest = self.statistic.fewest_layers
        if len(self.layer_weights) < fewest:
            raise validation_error(
                f"{name} compares layers with each other: name at least {fewest}",
                at="depth" if self.layers is None else "layers",
            )
        return self

    @model_validator(mode="after")
    def _check_network(self) -> Term:
        name, needed = self.statistic.name, self.statistic.needs_network
        if needed is None:
            return self
        if self.network.name != needed:
            raise validation_error(
                f"the statistic {name} is one of the network {needed}, not of {self.network.name}",
                given=self.network.name,
                allowed=[needed],
                at="network" if "network" in self.model_fields_set else "statistic",
                hint=f"write `network: {needed}`",
            )
        missing = [layer for layer in self.network.layers() if layer not in self.layer_weights]
        if missing:
            raise validation_error(
                f"{name} compares all layers of {needed} with each other: {missing[0]!r} is missing",
                at="depth" if self.layers is None else "layers",
                hint=f"write `depth: {list(self.network.layers())[-1]}`",
            )
        return self

    @property
    def layer_weights(self) -> dict[str, float]:
        """Return every layer of the term with its weight, shallow to deep; `depth` is written out."""
        if isinstance(self.layers, dict):
            given = {self._find_layer(name): weight for name, weight in self.layers.items()}
        else:
            given_names = [self._find_layer(name) for name in self.layers or ()]
            names = given_names or self.network.depths()[self._find_layer(self.depth or "")]
            given = dict.fromkeys(names, self.statistic.default_layer_weight(len(names)))
        return {name: given[name] for name in self.network.layers() if name in given}

    def count_parameters(self, width: int, height: int) -> int:
        """Return the number of parameters that the term measures in a source of this size."""
        return self.statistic.count_parameters(self.layer_sizes(width, height))

    def layer_sizes(self, width: int, height: int) -> dict[str, LayerSize]:
        """Return the size of every layer's maps, and its number of regions, in a picture of this size."""
        sizes = {}
        for name, pooling in self.poolings(width, height).items():
            rows, columns = (self.network.map_side(name, side) for side in (height, width))
            # Not every region of the picture contains a position of this layer.
            regions = len(pooling.windows(rows, columns))
            sizes[name] = LayerSize(self.network.layers()[name], rows, columns, regions)
        return sizes

    def poolings(self, width: int, height: int) -> dict[str, Pooling]:
        """Return where the statistic is pooled in every layer of a picture of this size."""
        return {
            name: Pooling(self.regions, (height, width), self.network.receptive_field(name))
            for name in self.layer_weights
        }

    def recipe(self, pictures: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
        """Return what determines the term's values, for identities and records.

        `pictures` says what determines the pixels of each picture that targets name, by its id.
        """
        found = {
            "network": self.network.recipe(),
            "layers": self.layer_weights,
            "statistic": self.statistic.to_dict(),
            "weight": self.weight,
            "regions": self.regions.recipe(),
        }
        if self.target is not None:
            found["target"] = {
                "pixels": pictures[self.target.picture],
                "weight": self.target.weight,
                "along": self.target.along,
            }
        return found


def _unknown_layer_error(network: Network, key: str, name: str) -> PydanticCustomError:
    """Return the error for a depth or layer that the network lacks, with the networks that have it."""
    kind = key.removesuffix("s")

    def list_names(network: Network) -> list[str]:
        return list(network.depths() if key == "depth" else network.layers())

    having = []
    for cls in NETWORKS.members.values():
        if not any(field.is_required() for field in cls.model_fields.values()):
            other = cls()
            if isinstance(other, Network) and name in list_names(other):
                having.append(other.name)
    # The most common networks first, and not all of a dozen.
    having.sort(key=lambda other: other not in (NETWORKS.default, NETWORKS.fallback))
    where = " or ".join(f"`network: {other}`" for other in having[:3])
    return validation_error(
        f"{network.title} has no {kind} {name!r}",
        given=name,
        allowed=[*list_names(network), *network.layer_aliases()],
        at=key,
        hint=f"it is a {kind} of {where}" if having and network.name not in having else None,
    )
