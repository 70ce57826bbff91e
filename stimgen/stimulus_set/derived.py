"""Derives everything in a set that follows from its plan and records."""

from __future__ import annotations

from stimgen.stimulus_set.additions import addition_file, read_additions
from stimgen.stimulus_set.checksums import hash_stored_file, write_checksums
from stimgen.stimulus_set.contact_sheet import write_contact_sheet
from stimgen.stimulus_set.index import write_index
from stimgen.stimulus_set.leftovers import remove_leftovers
from stimgen.stimulus_set.manifest import write_manifest
from stimgen.stimulus_set.store import CHECKSUMS, SHEET, TOP_LEVEL_FILES, Store


def write_derived_files(
    store: Store, *, sheet: bool = True, tidy: bool = True, processes: int | None = None
) -> list[str]:
    """Write manifest, table, citation file, contact sheet, checksums and index; return removed leftovers.

    The checksums come last of what belongs to the set: where they agree, everything was written. Files are
    not read for them, because their hashes stand in the records.

    Parameters
    ----------
    store : Store
        The set, which is locked.
    sheet : bool
        Whether to draw the contact sheet; otherwise an existing one stays, and the index does not list it.
    tidy : bool
        Whether to remove leftovers; not while other processes may still write files.
    processes : int or None
        How many processes read the records of a large set; None stands for what suits the computer.
    """
    reader = write_manifest(store, processes)
    if sheet:
        write_contact_sheet(store, reader.sheet)
    planned, finished = reader.plan.ids, store.list_finished()
    others = sorted(finished.difference(planned))  # an older protocol's
    reader.read_others(store, others, processes)
    hashes = reader.take_hashes()
    for addition, sha256 in read_additions(store):
        hashes[addition_file(addition.name)] = sha256
        hashes |= {file.file: file.sha256 for file in addition.files}
    there = (name for name in TOP_LEVEL_FILES if name != CHECKSUMS and store.has(name))
    hashes |= {name: hash_stored_file(store, name) for name in there}
    removed = remove_leftovers(store, hashes, finished.union(planned)) if tidy else []
    write_checksums(store, hashes)
    write_index(store, reader.lines, *(name for name in TOP_LEVEL_FILES if sheet or name != SHEET))
    return removed
