"""Computes features of a set's pictures and keeps them with the set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

from stimgen.execution.device import find_device
from stimgen.execution.features import GridFeatureExtractor
from stimgen.images.light import from_light, to_light
from stimgen.images.prepare import Pixels
from stimgen.images.write import as_pixels, decode_png
from stimgen.networks import NETWORKS, DeviceSpec, Network
from stimgen.networks.weights.choose import parse_weights
from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_bytes
from stimgen.stimulus_set.features import (
    FeatureRecord,
    FeatureStatistic,
    LayerRecord,
    array_placeholder,
    write_features,
)
from stimgen.stimulus_set.record import FileHash, RecordContent
from stimgen.stimulus_set.store import Store
from stimgen.workflow.networks import parse_network


@dataclass(frozen=True)
class FeatureOptions:
    """Says which features are computed.

    Attributes
    ----------
    network : str
        The name of a network.
    weights : str or None
        ``imagenet``, ``random`` or a file, for networks with weights; None stands for the usual ones.
    depth : str or None
        All layers down to this one; None stands for the network's deepest.
    name : str or None
        The name of the features; None stands for the network's.
    cells : int
        The number of cells of the grid, along either side of a picture.
    device : str
        The device to compute on.
    statistic : str
        ``mean`` of each map in a cell, or ``moments``: also its mean square, from which the spatial standard
        deviation in any part of a picture follows.
    """

    network: str = "embedded"
    weights: str | None = None
    depth: str | None = None
    name: str | None = None
    cells: int = 8
    device: str = "auto"
    statistic: FeatureStatistic = "mean"

    def format_command(self, name: str) -> str:
        """Return the command that computes the same again."""
        chosen = {"network": self.network, "weights": self.weights, "depth": self.depth, "name": name}
        told = [f"--{key} {value}" for key, value in chosen.items() if value is not None]
        told += [f"--statistic {self.statistic}"] if self.statistic != "mean" else []
        return " ".join(["stimgen features FOLDER", *told, f"--cells {self.cells}"])


def compute_features(folder: Path, options: FeatureOptions) -> FeatureRecord:
    """Compute the features of every original and stimulus of a finished set; return what was written.

    The same set, network and options give the same file.

    Raises
    ------
    StimgenError
        There is no such set, it is not finished, or a picture is not the recorded one; a network, weights,
        depth or device does not exist; pictures are too small for a layer, or have several shapes.
    """
    store = Store.open(folder)
    pictures = _find_pictures(store)
    network = _build_network(options)
    layers = _find_layers(network, options.depth)
    _check_picture_size(network, layers, next(_read_pictures(store, pictures)), folder)
    device = find_device(options.device)
    extract = network.load(layers, DeviceSpec(device))
    name = options.name or options.network.replace(":", "-")
    record = FeatureRecord(
        name=name,
        network=network.recipe(),
        weights_sha256=extract.weights_sha256,
        layers=tuple(LayerRecord(name=one, channels=network.layers()[one]) for one in layers),
        cells=options.cells,
        statistic=options.statistic,
        array=array_placeholder(name),
        pictures=tuple(pictures),
    )
    measure = GridFeatureExtractor(extract, layers, options.cells, device, options.statistic)
    return write_features(
        store, record, measure.compute_grids(_read_pictures(store, pictures)), options.format_command(name)
    )


def parse_statistic(name: str) -> FeatureStatistic:
    """Return the statistic of a name, or raise a `StimgenError`."""
    for known in get_args(FeatureStatistic):
        if name == known:
            return cast(FeatureStatistic, known)
    raise StimgenError(
        f"there is no statistic {name!r} of features", given=name, allowed=get_args(FeatureStatistic)
    )


def _find_pictures(store: Store) -> dict[FileHash, RecordContent]:
    """Return originals and stimuli, sorted by name, each with the content of a record that names it."""
    planned = store.read_plan().ids
    records = [record.content for record in store.read_records()]
    if len(records) < len(planned) or not records:
        raise StimgenError(
            f"is not finished: {len(records)} of {len(planned)} stimuli are there", where=store.folder
        )
    found = {content.source.original: content for content in records}
    found |= {FileHash(file=content.file, sha256=content.sha256): content for content in records}
    return dict(sorted(found.items(), key=lambda item: item[0].file))


def _read_pictures(store: Store, pictures: dict[FileHash, RecordContent]) -> Iterator[Pixels]:
    """Yield the pictures as networks see them: three channels, encoded as sRGB."""
    first = None
    for picture, content in pictures.items():
        data = store.read(picture.file)
        if sha256_bytes(data) != picture.sha256:
            raise StimgenError("is not the picture that its record names", where=store.folder / picture.file)
        pixels = as_pixels(decode_png(data, store.folder / picture.file))
        pixels = pixels.repeat(3, axis=2) if pixels.shape[2] == 1 else pixels
        first = first or pixels.shape
        if pixels.shape != first:
            raise StimgenError(
                f"is {pixels.shape[1]} x {pixels.shape[0]} pixels, others of the set {first[1]} x {first[0]}",
                where=store.folder / picture.file,
            )
        linear = content.encoding == "linear"
        yield from_light(to_light(pixels, "linear"), "srgb") if linear else pixels


def _build_network(options: FeatureOptions) -> Network:
    settings: dict[str, Any] = dict(NETWORKS.expand_short_form(options.network))
    names = [name for name in NETWORKS.members if name not in ("python", "module", "pixels")]
    if settings["name"] not in names:
        raise StimgenError(
            f"there is no network {options.network!r} for features", given=options.network, allowed=names
        )
    if options.weights is not None:
        if "weights" not in NETWORKS.members[settings["name"]].model_fields:
            raise StimgenError(f"the network {options.network!r} has no weights to choose")
        settings["weights"] = parse_weights(options.weights)
    return parse_network(settings)


def _find_layers(network: Network, depth: str | None) -> tuple[str, ...]:
    depths = network.depths()
    wanted = network.layer_aliases().get(depth or "", depth) or list(depths)[-1]
    if wanted not in depths:
        raise StimgenError(f"{network.title} has no depth {wanted!r}", given=wanted, allowed=list(depths))
    return depths[wanted]


def _check_picture_size(network: Network, layers: tuple[str, ...], pixels: Pixels, folder: Path) -> None:
    height, width, _ = pixels.shape
    for layer in layers:
        if min(network.map_side(layer, height), network.map_side(layer, width)) == 0:
            raise StimgenError(
                f"the layer {layer} needs pictures of {network.smallest_side(layer)} pixels; these have "
                f"{width} x {height}",
                where=folder,
                hint="name a shallower --depth",
            )
