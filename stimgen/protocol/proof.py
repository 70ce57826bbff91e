"""Defines how metamers are compared with pairs of unrelated pictures: a protocol's ``proof``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from stimgen.networks import Network
from stimgen.reading.model import Integer, Model, Text, validation_error
from stimgen.synthesis.methods import Method, ObjectiveMethod
from stimgen.synthesis.term import Term


class ProofSettings(Model):
    """Describes how metamers are compared with their sources, and with pairs of unrelated pictures."""

    pairs: Annotated[Integer, Field(ge=200, le=100_000)] = 200
    """Number of pairs of unrelated pictures: sources of the set, and photographs of scikit-image if the set
    has too few."""
    layers: Annotated[
        Annotated[Literal["all", "matched"], Tag("word")]
        | Annotated[Annotated[tuple[Text, ...], Field(min_length=1)], Tag("list")],
        Discriminator(lambda value: "list" if isinstance(value, (list, tuple)) else "word"),
    ] = "all"
    """Layers to compare: ``all`` of the network, those that the stimulus is ``matched`` at, or a list, to
    which these are added."""

    def select_layers(self, terms: tuple[Term, ...], width: int, height: int) -> tuple[str, ...]:
        """Return the layers to compare, shallow to deep, for the terms of a metamer of this size."""
        network = terms[0].network
        matched = {name for term in terms for name in term.layer_weights}
        names = tuple(network.layers())
        if self.layers != "all":
            wanted = matched if isinstance(self.layers, str) else matched.union(self.layers)
            names = tuple(name for name in names if name in wanted)
        return tuple(name for name in names if _fits(network, name, width, height))


def find_metamer_terms(method: Method) -> tuple[Term, ...]:
    """Return the terms that make a method's stimuli metamers of their sources; none for other stimuli.

    In a metamer every term compares feature maps position by position with those of the source, apart from
    terms that have no target, such as total variation.
    """
    if not isinstance(method, ObjectiveMethod):
        return ()
    compared = tuple(term for term in method.terms if not term.statistic.prior)
    if not all(term.statistic.keeps_positions and term.target is None for term in compared):
        return ()
    return compared


def refuse_unprovable(settings: ProofSettings, methods: Sequence[Method]) -> None:
    """Refuse, by an error of pydantic, a proof without metamers, or with several networks in one."""
    metamers = [terms for method in methods if (terms := find_metamer_terms(method))]
    if not metamers:
        raise validation_error(
            "no condition makes metamers, of which feature maps are compared at every position",
            at="proof",
            hint="write `statistic: content` in a condition, without `target`; or leave out `proof`",
        )
    for terms in metamers:
        if len({term.network for term in terms}) > 1:
            raise validation_error("a proof needs conditions with one network each", at="proof")
        known = list(terms[0].network.layers())
        for name in () if isinstance(settings.layers, str) else settings.layers:
            if name not in known:
                message = f"proof: {terms[0].network.name} has no layer {name!r}"
                raise validation_error(message, given=name, allowed=known, at="proof")


def _fits(network: Network, layer: str, width: int, height: int) -> bool:
    return network.map_side(layer, width) > 0 and network.map_side(layer, height) > 0
