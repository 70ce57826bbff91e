"""Archives a study before it is run, and compares data with the archive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.frames.page_pictures import list_page_pictures
from stimgen.experiment.pictures.sets import SetReference
from stimgen.experiment.schema.groups import list_group_labels
from stimgen.experiment.schema.load import LoadedExperiment
from stimgen.export.archive import create_archive
from stimgen.export.sets.contents import SetContents
from stimgen.export.study.comparison import StudyComparison, compare_with_study
from stimgen.export.study.frozen import (
    EXCLUSIONS,
    EXPERIMENT,
    PICTURES,
    README,
    SETS,
    STUDY,
    FrozenSet,
    FrozenStudy,
    PlannedTrials,
    StudyRecord,
    trials_file,
)
from stimgen.reading.atomic import create_atomically
from stimgen.reading.errors import StimgenError
from stimgen.reading.files import MEGABYTE, read_limited
from stimgen.stimulus_set.store import json_bytes
from stimgen.workflow.prepared_experiment import PreparedExperiment
from stimgen.workflow.trials import list_repeated_practice, list_session_trials
from stimgen.workflow.versions import read_versions

RULES_HEAD = "Rules of the experiment, which stimgen applies in tables and analyses:"
README_TEXT = """\
A study as it was planned, archived by stimgen before it was run.

experiment.yaml   the experiment
exclusions.txt    the exclusion rules: whose data, and which trials, are left out
trials/           the trials of every participant and session, one per line, practice first,
                  catch trials last; with an adaptive schedule, a line lists all candidates for a trial
sets/             the stimulus sets, complete
pictures/         the pictures of the instructions, if there are any
study.json        participants, hashes, the screen, software versions
checksums.sha256  the hash of every file; check them with: sha256sum -c checksums.sha256

To compare data with this archive: stimgen freeze --check ARCHIVE DATA
"""


@dataclass(frozen=True)
class StudyOptions:
    """Says what is planned beside the experiment; the attributes are the options of `stimgen freeze`."""

    participants: int
    sessions: tuple[str, ...] = ("1",)
    stimuli: tuple[Path, ...] = ()
    exclusions: Path | None = None


def freeze_study(loaded: LoadedExperiment, options: StudyOptions, target: Path) -> StudyRecord:
    """Write a study to a new archive; the same study gives the same bytes.

    Raises
    ------
    StimgenError
        The experiment cannot be run as it is, a set is damaged, the exclusion rules are missing, or the
        archive exists already or cannot be written.
    """
    exclusions = _read_exclusions(loaded, options)
    prepared = PreparedExperiment.prepare(loaded, options.stimuli)
    used = _list_sets(prepared)
    sets = list(used.values())
    study = _describe_study(prepared, options, used)
    with create_atomically(target) as unfinished, create_archive(unfinished, study.name) as add:
        add(EXPERIMENT, loaded.document.text.encode())
        add(EXCLUSIONS, exclusions)
        add(README, README_TEXT.encode())
        add(STUDY, json_bytes(study.to_dict()))
        for participant in study.persons:
            add(trials_file(participant), _format_trials(prepared, participant))
        for picture in list_page_pictures(loaded):
            add((PurePosixPath(PICTURES) / picture.name).as_posix(), picture.image.data)
        for i, contents in enumerate(sets, 1):
            for entry in contents.entries:
                name = f"{SETS}/{i}_{contents.name}/{entry.name}"
                add(name, contents.read(entry.name, entry.sha256))
    return study


def check_study(archive: Path, data: Path) -> StudyComparison:
    """Compare the journals in a folder of data with an archived study.

    Raises
    ------
    StimgenError
        The archive or the folder does not exist, or is damaged.
    """
    frozen = FrozenStudy(archive)
    if not data.is_dir():
        raise StimgenError("there is no such folder of data", where=data)
    return compare_with_study(frozen, data)


def _read_exclusions(loaded: LoadedExperiment, options: StudyOptions) -> bytes:
    rules = loaded.experiment.exclusions
    stated = "" if rules is None else "\n".join([RULES_HEAD, *(f"- {rule}" for rule in rules.describe()), ""])
    if options.exclusions is not None:
        text = read_limited(options.exclusions, MEGABYTE)
        return text + (b"\n\n" if text and stated else b"") + stated.encode()
    if not loaded.experiment.notes.strip() and rules is None:
        raise StimgenError(
            "the exclusion rules are missing: whose data, and which trials, will be left out",
            where=loaded.document.file,
            hint="write them, even if there are none, into a text file and name it with --exclusions; "
            "or into the experiment's `notes` or `exclusions`",
        )
    notes = loaded.experiment.notes
    return (notes + ("\n\n" if notes and stated else "") + stated).encode()


def _describe_study(
    prepared: PreparedExperiment, options: StudyOptions, sets: Mapping[SetReference, SetContents]
) -> StudyRecord:
    experiment = prepared.loaded.experiment
    labels = list_group_labels(experiment.groups, options.participants)
    placed = {label: prepared.choose_group(Participant(label))[0].group for label in labels}
    return StudyRecord(
        name=experiment.name,
        title=experiment.title or experiment.name,
        experiment_sha256=prepared.loaded.sha256,
        seed=experiment.seed,
        adaptive=experiment.schedule.adaptive,
        participants=tuple(labels),
        groups={label: group for label, group in placed.items() if group is not None},
        sessions=options.sessions,
        viewing=prepared.viewing.to_dict(),
        pictures={picture.name: picture.sha256 for picture in list_page_pictures(prepared.loaded)},
        sets=tuple(_describe_set(used, contents) for used, contents in sets.items()),
        software=read_versions(),
    )


def _list_sets(prepared: PreparedExperiment) -> dict[SetReference, SetContents]:
    """Return the sets of all groups, each once."""
    pairs = (pair for pool in prepared.pools for pair in zip(pool.sets, pool.stores, strict=True))
    return {used: SetContents(store) for used, store in dict(pairs).items()}


def _describe_set(used: SetReference, contents: SetContents) -> FrozenSet:
    citation = contents.citation
    return FrozenSet(
        **asdict(used),
        content_hash=citation.summary.content_hash,
        stimuli=citation.summary.stimuli,
        title=citation.title,
        version=citation.version,
        licence=citation.metadata.licence,
        doi=citation.metadata.doi,
    )


def _format_trials(prepared: PreparedExperiment, participant: Participant) -> bytes:
    planned = PlannedTrials.from_listing(list_session_trials(prepared, participant))
    own, placed = prepared.choose_group(participant)
    repeated = list_repeated_practice(own.build_procedure(placed))
    planned.practice.extend(trial.to_dict() for trial in repeated)
    return planned.to_bytes()
