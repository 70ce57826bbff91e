"""Formats what commands about stimulus sets find, for people to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stimgen.cli.text import format_columns

if TYPE_CHECKING:
    from stimgen.stimulus_set.file_checker import Verification
    from stimgen.workflow.resynthesis_comparison import PictureDifference, ResynthesisResult


def format_verdict(folder: object, found: Verification) -> str:
    """Return one line that says whether a set is intact."""
    verdict = "no problems" if found.sound else f"problems: {len(found.problems)}"
    return f"{folder}: {found.checked} of {found.planned} stimuli checked, {verdict}"


def format_confounds(rows: list[dict[str, Any]]) -> str:
    """Return the table of image measures by condition."""
    from stimgen.reading.errors import make_printable
    from stimgen.reading.text import to_one_line

    measures = [key.removesuffix("_mean") for key in rows[0] if key.endswith("_mean")]
    table = [["condition", "n", *measures]]
    for row in rows:
        name = make_printable(to_one_line(row["condition"]), limit=64)
        table.append([name, str(row["n"]), *(_format_mean_and_deviation(row, key) for key in measures)])
    note = "Each cell is the mean over pictures, with the standard deviation in brackets."
    return "\n".join([*format_columns(table), note])


def _format_mean_and_deviation(row: dict[str, Any], measure: str) -> str:
    mean, deviation = row[f"{measure}_mean"], row[f"{measure}_sd"]
    if mean is None:
        return "-"
    return f"{mean:.3g}" if deviation is None else f"{mean:.3g} ({deviation:.2g})"


def format_resynthesis(result: ResynthesisResult) -> str:
    """Return one line about a stimulus that was made again."""
    if result.problem is not None:
        verdict = f"PROBLEM: {result.problem}"
    elif result.identical:
        verdict = "made again: identical"
    else:
        verdict = "made again on other hardware or with other versions: within tolerance"
    return f"{result.file}: {verdict}{_format_difference(result.difference)}"


def _format_difference(difference: PictureDifference | None) -> str:
    if difference is None:
        return ""
    figures = [f"spectrum {difference.spectrum:.4f}", f"luminance {difference.luminance:.4f}"]
    if difference.psnr is not None:
        figures.insert(0, f"PSNR {difference.psnr:.1f} dB")
    if difference.loss_ratio is not None:
        figures.append(f"loss x {difference.loss_ratio:.3f}")
    return f" ({', '.join(figures)})"
