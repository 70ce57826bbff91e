"""Synthesizes stimuli of one image from Python, without a protocol file."""

from __future__ import annotations

import io
import json
import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from numpy.typing import NDArray
from PIL import Image

from stimgen.execution.device import find_device
from stimgen.execution.executor import GenerateOptions
from stimgen.execution.progress import ProgressCallback
from stimgen.images.read import SKIMAGE_PREFIX, ImageFile, find_skimage_file, read_image_file
from stimgen.images.write import Levels, encode_png, quantise
from stimgen.networks.trusted_code import read_code
from stimgen.protocol.load import load_protocol
from stimgen.reading.errors import CombinedError, StimgenError
from stimgen.reading.files import write_file
from stimgen.reading.model import Model
from stimgen.stimulus_set import StimulusSet
from stimgen.stimulus_set.store import MANIFEST
from stimgen.workflow.generate import generate_set

AnyImage = NDArray[Any] | Image.Image | torch.Tensor | Path | str
"""An image as `synthesize` takes it."""

NAME, SOURCE, CONDITION = "synthesis", "source", "stimulus"


@dataclass(frozen=True, eq=False)
class SynthesizedImages:
    """Holds the stimuli that `synthesize` made from one image, with one entry for each seed.

    Attributes
    ----------
    images : array or Tensor
        Stimuli x height x width x channels, float32 in [0, 1], before rounding to the levels of a file. As a
        tensor: stimuli x channels x height x width, on the device that computed them.
    source : array
        The source as the model saw it: height x width x channels, uint8 or uint16.
    losses : array
        The objective at every image, float64; NaN for a method that minimises none.
    traces : tuple of DataFrame
        Every evaluation of the objective: scale, evaluation, total loss, and a column for each term.
    files : tuple of bytes
        Every stimulus as a PNG file: the bytes that ``stimgen generate`` writes.
    record : dict
        The set's manifest: the protocol, and the settings, hashes and versions behind every stimulus.
    """

    images: NDArray[np.float32] | torch.Tensor
    source: NDArray[Any]
    losses: NDArray[np.float64]
    traces: tuple[Any, ...]
    files: tuple[bytes, ...]
    record: dict[str, Any]
    _sheet: Image.Image = field(repr=False)

    def __len__(self) -> int:
        """Return the number of stimuli."""
        return len(self.files)

    def __repr__(self) -> str:
        """Return one line."""
        return f"<SynthesizedImages: {len(self)} of shape {tuple(self.images.shape[1:])}>"

    def _repr_png_(self) -> bytes:
        """Return the contact sheet that a notebook shows: the source and every stimulus."""
        buffer = io.BytesIO()
        self._sheet.save(buffer, format="PNG")
        return buffer.getvalue()


def synthesize(  # noqa: PLR0913 - one keyword for each thing that a caller may want to say
    image: AnyImage,
    *,
    seeds: int | Sequence[int] = 1,
    size: int | Sequence[int] | None = None,
    references: Mapping[str, AnyImage] | None = None,
    device: str = "auto",
    as_tensor: bool = False,
    folder: str | Path | None = None,
    report: ProgressCallback | None = None,
    **condition: Any,
) -> SynthesizedImages:
    """Synthesize stimuli that share statistics with an image, and return them as arrays.

    It runs a protocol of one source and one condition, so the pictures have the bytes that
    ``stimgen generate`` gives for that protocol.

    Parameters
    ----------
    image : array, Image, Tensor, Path or str
        The source: an array of height x width or height x width x channels (1 or 3), a tensor of
        channels x height x width, a Pillow image, a file, or the name of a photograph of scikit-image
        (``skimage:brick``). Arrays and tensors are uint8, grey uint16, or floating-point numbers in [0, 1],
        which are rounded to 8 bits.
    seeds : int or sequence of int
        One stimulus is made for every seed.
    size : int or sequence of int, optional
        Pixels: n resamples the largest centre square to n x n; width and height resample the whole image.
        By default the image is used as it is.
    references : mapping, optional
        Other images that `target` names, by their ids.
    device : str
        ``auto`` (CUDA where there is a GPU, else the CPU), ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
    as_tensor : bool
        Return `images` as a tensor on that device.
    folder : str or Path, optional
        Keep the stimulus set in this folder; otherwise nothing is left on the disk.
    report : callable, optional
        Called with a `RunProgress` after every evaluation.
    **condition
        What a protocol says of a condition: ``depth``, ``layers``, ``regions``, ``network``, ``statistic``,
        ``synthesis``, ``method``, ``objective``, ``target``, ``after``. Values are as in YAML, or stimgen's
        own objects, such as ``Gram()``.

    Returns
    -------
    SynthesizedImages
        Images, losses, traces, PNG files and the record.

    Raises
    ------
    StimgenError
        The image or a keyword cannot be used, or a stimulus could not be made.

    Examples
    --------
    >>> import numpy as np
    >>> noise = np.random.default_rng(1).random((32, 32, 3))
    >>> found = synthesize(noise, depth="scale1", synthesis={"evaluations": 3}, seeds=[1, 2])
    >>> found.images.shape
    (2, 32, 32, 3)
    """
    named = {SOURCE: image, **(references or {})}
    with tempfile.TemporaryDirectory(prefix="stimgen-") as temporary:
        place = Path(temporary)
        sources = [{"id": key, **_write_source(value, key, place, size)} for key, value in named.items()]
        protocol = {
            "name": NAME,
            "sources": sources[:1],
            "references": sources[1:],
            "conditions": [{"id": CONDITION, **_copy_code(_to_plain(condition), place)}],
            "seeds": [seeds] if isinstance(seeds, int) else list(seeds),
            "output": {"array": True},
        }
        kept = Path(folder) if folder is not None else place / NAME
        file = place / f"{NAME}.yaml"
        write_file(file, yaml.safe_dump(protocol, sort_keys=False).encode())
        try:
            loaded = load_protocol(file)
            progress = generate_set(loaded, kept, GenerateOptions(device=device), report)
        except StimgenError as error:
            raise _describe_without_file(error, file) from None
        if progress.failures:
            raise StimgenError(f"could not be made: {progress.failures[0].reason}")
        return _read_images(StimulusSet(kept), find_device(device) if as_tensor else None)


def _write_source(
    image: AnyImage, name: str, folder: Path, size: int | Sequence[int] | None
) -> dict[str, Any]:
    """Write an image beside the protocol, unless a package brings it, and return the protocol's entry."""
    if isinstance(image, str) and image.startswith(SKIMAGE_PREFIX):
        file = image
        found = read_image_file(find_skimage_file(image.removeprefix(SKIMAGE_PREFIX)))
    else:
        if isinstance(image, str | Path):
            found = read_image_file(Path(image))
        else:
            found = ImageFile(Path(f"{name}.png"), encode_png(_to_levels(image)))
        file = f"{name}{found.file.suffix}"
        write_file(folder / file, found.data)
    if size is None:
        return {"file": file, "crop": "none", "size": list(found.size)}
    if isinstance(size, int):
        return {"file": file, "size": size}
    return {"file": file, "crop": "none", "size": list(size)}


def _to_levels(image: NDArray[Any] | Image.Image | torch.Tensor) -> Levels:
    """Return an array, Pillow image or tensor as height x width x channels, uint8 or uint16."""
    if isinstance(image, torch.Tensor):
        array = image.detach().cpu().numpy()
        array = np.moveaxis(array, 0, -1) if array.ndim == 3 else array
    else:
        array = np.asarray(image)
    if array.ndim == 2:
        array = array[:, :, np.newaxis]
    if (
        array.ndim != 3
        or array.shape[2] not in (1, 3)
        or (isinstance(image, Image.Image) and image.mode == "P")
    ):
        raise StimgenError(
            f"an image of shape {array.shape} cannot be used",
            hint="give height x width, or height x width x 1 or 3 (a tensor: channels first); "
            'convert a Pillow image with transparency or a palette: image.convert("RGB")',
        )
    if array.dtype == np.uint8 or (array.dtype == np.uint16 and array.shape[2] == 1):
        return np.ascontiguousarray(array)
    if not np.issubdtype(array.dtype, np.floating):
        raise StimgenError(
            f"an image of {array.dtype} with {array.shape[2]} channels cannot be used",
            hint="give uint8, grey uint16, or floating-point numbers in [0, 1]",
        )
    if not (array.min() >= 0.0 and array.max() <= 1.0):  # also false of NaN
        raise StimgenError(
            f"the image has values from {array.min():.3g} to {array.max():.3g}",
            hint="floating-point numbers go from 0 (black) to 1 (white); divide by 255, or give uint8",
        )
    return quantise(array)


def _copy_code(value: Any, folder: Path) -> Any:
    """Return a value with the Python files that networks name, copied beside the protocol."""
    if isinstance(value, dict):
        if value.get("name") == "module" and isinstance(value.get("file"), str):
            code = read_code(Path(value["file"]))
            write_file(folder / code.file.name, code.data)
            value = {**value, "file": code.file.name}
        return {key: _copy_code(inner, folder) for key, inner in value.items()}
    return [_copy_code(inner, folder) for inner in value] if isinstance(value, list) else value


def _to_plain(value: Any) -> Any:
    """Return what a caller said as YAML would have it: stimgen's objects become mappings."""
    if isinstance(value, Model):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {str(key): _to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_to_plain(item) for item in value]
    return value


def _describe_without_file(error: StimgenError, file: Path) -> StimgenError:
    """Return an error that speaks of keywords, because the caller wrote no file with lines."""
    errors = error.errors if isinstance(error, CombinedError) else [error]
    for each in errors:
        if each.where is not None and each.where.file == file:
            each.where = None
        each.message = each.message.removeprefix("conditions[0]: ").replace("conditions[0].", "")
    return error


def _read_images(made: StimulusSet, device: torch.device | None) -> SynthesizedImages:
    """Return what is in a set, and nothing that refers to its folder."""
    import pandas as pd

    store, records = made.store, [record.content for record in made.records.values()]
    arrays = [np.load(io.BytesIO(store.read(record.array.file))) for record in records if record.array]
    images: NDArray[np.float32] | torch.Tensor = np.clip(np.stack(arrays), 0.0, 1.0)
    if device is not None:
        images = torch.from_numpy(images).movedim(3, 1).contiguous().to(device)
    return SynthesizedImages(
        images=images,
        source=made.original(next(iter(made.records))),
        losses=np.array(
            [math.nan if record.losses is None else record.losses.end.total for record in records]
        ),
        traces=tuple(pd.read_csv(io.BytesIO(store.read(record.trace.file))) for record in records),
        files=tuple(store.read(record.file) for record in records),
        record=json.loads(store.read(MANIFEST)),
        _sheet=made.contact_sheet(),
    )
