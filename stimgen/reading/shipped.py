"""Finds YAML files of users by their path, and files shipped with this package by their name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stimgen.reading.document import read_document
from stimgen.reading.errors import StimgenError


@dataclass(frozen=True)
class ShippedFiles:
    """Finds the shipped files of one kind."""

    folder: str
    """Where they are among the shipped protocols."""
    what: str
    """What one of them is called in messages."""

    def files(self) -> dict[str, Path]:
        """Return the files by name."""
        package = Path(__file__).parents[1]
        # In a wheel the protocols are inside the package; in a checkout they are beside it.
        inside = package / "shipped_protocols"
        root = inside if inside.is_dir() else package.parent / "protocols"
        return {file.stem: file for file in sorted((root / self.folder).rglob("*.yaml"))}

    def titles(self) -> dict[str, str]:
        """Return the titles by name."""
        return {name: read_title(file) for name, file in self.files().items()}

    def find(self, name_or_file: str | Path) -> Path:
        """Return the file with this path, or the shipped file with this name.

        Raises `StimgenError` if it is neither a file nor the name of a shipped file.
        """
        text = str(name_or_file)
        file = Path(text)
        if file.suffix in (".yaml", ".yml") or _is_file(file):
            return file
        shipped = self.files()
        if text not in shipped:
            raise StimgenError(
                f"there is no {self.what} {text!r}: neither a file nor a shipped {self.what}",
                given=text,
                allowed=list(shipped),
                hint=f"for a {self.what} of your own, give its file, for example my-study.yaml",
            )
        return shipped[text]


PROTOCOLS = ShippedFiles("stimuli", "protocol")
EXPERIMENTS = ShippedFiles("experiments", "experiment")


def _is_file(file: Path) -> bool:
    try:
        return file.is_file()
    except OSError:  # a name too long for any file
        return False


def read_title(file: Path) -> str:
    """Return the title of a protocol or an experiment, or an empty text if it has none."""
    data = read_document(file).data
    return str(data.get("title", "")) if isinstance(data, dict) else ""
