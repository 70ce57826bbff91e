"""Formats what commands about experiments return, for people to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stimgen.cli.text import format_columns
from stimgen.stimulus_set.citing.wording import format_count

if TYPE_CHECKING:
    from stimgen.experiment.design.threshold import TrackThreshold
    from stimgen.workflow.display_check import DisplayCheckResult
    from stimgen.workflow.replay import ReplayedTrial
    from stimgen.workflow.session_outcome import SessionOutcome
    from stimgen.workflow.tabulate import TableFolder
    from stimgen.workflow.withdraw import Withdrawal

VERDICTS = {
    True: "identical to the frame that was shown",
    False: "different from the frame that was shown",
    None: "not shown to anybody (the journal has no hash of it)",
}

# Part of the wanted width from which on a picture's width at its place is told.
LARGEST_SIZE_ERROR = 0.02


def format_trials(found: dict[str, Any]) -> str:
    """Return a table of trials, or of an adaptive schedule's candidates, one per line."""
    group = "" if found["group"] is None else f" (group {found['group']})"
    session = f"{found['experiment']}, participant {found['participant']}{group}, session {found['session']}"
    if found["adaptive"]:
        candidates = [trial for group in found["candidates"] for trial in group]
        trials = found["practice"] + candidates + [one["trial"] for one in found["catch"]]
        head = (
            f"{session}: up to {len(found['candidates'])} trials. The schedule is adaptive: of all rows with "
            "the same trial number, the answers so far decide which one is shown"
        )
    else:
        trials = found["trials"]
        head = f"{session}: {len(trials)} trials{_count_catch_trials(trials)}"
    factors = list(dict.fromkeys(name for trial in trials for name in _list_values(trial)))
    some_without = any(trial.get("signal") is False for trial in trials)
    factors += ["signal"] if some_without else []
    rows = [
        ("trial", "block", "source", *factors, "correct", "pictures"),
        *(_format_trial(trial, factors) for trial in trials),
    ]
    note = (
        "Pictures: role and seed, position relative to the fixation mark, width x height; all in degrees of "
        "visual angle."
    )
    if some_without:
        note += (
            "\nSignal: no in trials whose correct answer does not depend on the level; they do not move it."
        )
    note += _warn_of_size(trials, found.get("size"))
    return "\n".join([head + _format_questions(found["questions"]), *format_columns(rows), note])


def _warn_of_size(trials: list[dict[str, Any]], wanted: float | None) -> str:
    """Return a line about pictures that are not as wide as they would be at fixation, if there are any."""
    shown = [one for trial in trials for phase in trial["phases"] for one in phase["shown"]]
    if wanted is None or not shown:
        return ""
    other = max(shown, key=lambda one: abs(one["size_degrees"][0] - wanted))
    width, (x, y) = other["size_degrees"][0], other["degrees"]
    if abs(width - wanted) < LARGEST_SIZE_ERROR * wanted:
        return ""
    return (
        f"\nSize: {wanted:g} degrees hold at fixation. On a flat screen, the picture at ({x:.1f}, {y:.1f}) "
        f"is {width:.2g} degrees wide."
    )


def _format_questions(questions: dict[str, str]) -> str:
    """Return a line about the questions after trials, if there are any."""
    asked = {"always": "", "practice": " (practice only)", "main": " (not in practice)"}
    names = [f"{name}{asked[when]}" for name, when in questions.items()]
    return f"\nQuestions after each trial: {', '.join(names)}" if names else ""


def _count_catch_trials(trials: list[dict[str, Any]]) -> str:
    count = sum(trial.get("catch") is not None for trial in trials)
    return f", of which {count} catch trial{'s'[: count > 1]}" if count else ""


def _name_picture(trial: dict[str, Any], shown: dict[str, Any]) -> str:
    """Return role and seed of a picture; and its source and condition, unless the trial gives them."""
    source = shown["source"] if shown["source"] != trial["source"] else None
    given = "condition" in trial["levels"] or shown["seed"] is None
    parts = (shown["role"], source, None if given else shown["condition"], shown["seed"])
    return " ".join(str(part) for part in parts if part is not None)


def _list_values(trial: dict[str, Any]) -> dict[str, Any]:
    """Return the value of every factor of a trial."""
    values: dict[str, Any] = trial.get("source_factors", {}) | trial["levels"] | trial["balanced"]
    return values


def _format_trial(trial: dict[str, Any], factors: list[str]) -> tuple[str, ...]:
    pictures = [
        f"{_name_picture(trial, shown)} "
        f"at ({shown['degrees'][0]:.1f}, {shown['degrees'][1]:.1f}), "
        f"{shown['size_degrees'][0]:.1f} x {shown['size_degrees'][1]:.1f}"
        for phase in trial["phases"]
        for shown in phase["shown"]
    ]
    signal = {None: "-", True: "yes", False: "no"}[trial.get("signal")]
    levels = _list_values(trial) | {"signal": signal}
    values = (levels.get(name, "-") for name in factors)
    block = "practice" if trial["practice"] else trial.get("catch") or str(trial["block"])
    correct = "-" if trial["correct"] is None else str(trial["correct"])
    return str(trial["index"]), block, trial["source"], *map(str, values), correct, "; ".join(pictures)


def format_outcome(outcome: SessionOutcome) -> str:
    """Return one line about a session that ended, and one per track of an adaptive schedule."""
    state = "complete" if outcome.complete else "not complete (continue it with --resume)"
    caught = (
        f", catch trials {outcome.catch_correct} of {outcome.catch_trials}" if outcome.catch_trials else ""
    )
    score = f"{format_count(outcome.trials, 'trial')}{_format_score(outcome)}{caught}"
    lines = [f"{outcome.journal}: {score}, {state}"]
    lines += [f"  track {found.track}: {_format_threshold(found)}" for found in outcome.thresholds]
    return "\n".join(lines)


def _format_score(outcome: SessionOutcome) -> str:
    """Return the proportion correct, of which trials, and how many were missed."""
    missed = f", {outcome.missed} missed" if outcome.missed else ""
    if outcome.correct is None:
        return missed
    among = ""
    if outcome.missed:
        among = f" of {outcome.graded}" + (" answered" if outcome.graded < outcome.trials else "")
    return f", {outcome.correct:.1%} correct{among}{missed}"


def _format_threshold(found: TrackThreshold) -> str:
    """Return a threshold with its unit, its method and what holds there, or why there is none."""
    trials = format_count(found.trials, "trial")
    if found.threshold is None:
        return f"no threshold after {trials}: {found.reason}"
    unit = f" {found.unit}" if found.unit else ""
    others = "".join(f", {name} {value:.3g}" for name, value in found.estimates.items())
    method = found.method
    if found.posterior is None:
        used = sum(one.used for one in found.reversals)
        method += f", {used} of {len(found.reversals)}"
    return (
        f"threshold {found.level} {found.threshold:.4g}{unit}, SD {found.sd:.3g}{others} "
        f"({method}; {found.target}; {trials})"
    )


def format_tables(tables: TableFolder) -> str:
    """Return one line about a folder of tables, and one per journal without a trial."""
    left_out = [f"  left out, because the session had not begun: {file}" for file in tables.skipped]
    counts = f"{format_count(tables.sessions, 'session')}, {format_count(tables.files, 'file')}"
    return "\n".join([f"{tables.folder}: {counts}", *left_out])


def format_withdrawal(withdrawal: Withdrawal) -> str:
    """Return the files that were deleted, one per line."""
    head = f"deleted the data of participant {withdrawal.participant}:"
    note = "Delete copies yourself: backups, and tables that were written elsewhere with -o."
    return "\n".join([head, *(f"  {name}" for name in withdrawal.removed), note])


def format_replay(replayed: ReplayedTrial) -> str:
    """Return one line per frame, and the versions that differ if a frame does."""
    lines = [f"{frame.file}: {VERDICTS[frame.agrees]}" for frame in replayed.frames]
    if not replayed.agrees:
        lines += [
            f"{name} was version {then} in the session and is {now} here"
            for name, (then, now) in replayed.versions.items()
        ]
    return "\n".join(lines)


def format_display_check(found: DisplayCheckResult) -> str:
    """Return what was measured, and where it was saved."""
    if found.file is None:
        return found.measurement
    name = found.file.stem
    if found.failure is not None:
        return (
            f"{found.measurement}\nsaved as {found.file}, marked as failed: experiments refuse it. Switch on "
            "vertical sync, close other programs, and measure again with --replace"
        )
    return f"{found.measurement}\nsaved as {found.file}; use it in experiments: display: {{monitor: {name}}}"
