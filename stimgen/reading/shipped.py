"""YAML files from users, by their path, or shipped ones, by their name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stimgen.reading.document import read_document
from stimgen.reading.errors import StimgenError


@dataclass(frozen=True)
class ShippedFiles:
    """The files of one kind that are shipped.

    Attributes
    ----------
    folder : str
        Where they lie among the shipped protocols.
    what : str
        What one of them is called, for messages.
    """

    folder: str
    what: str

    def files(self) -> dict[str, Path]:
        """Return the files by name."""
        return {file.stem: file for file in sorted((_shipped_folder() / self.folder).rglob("*.yaml"))}

    def titles(self) -> dict[str, str]:
        """Return the titles by name."""
        return {name: read_title(file) for name, file in self.files().items()}

    def find(self, name_or_file: str | Path) -> Path:
        """Return the file that is named, by its path or as a shipped one.

        Raises
        ------
        StimgenError
            Neither a file nor the name of a shipped one.
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
                hint=f"your own {self.what}s are named by their file, such as my-study.yaml",
            )
        return shipped[text]


PROTOCOLS = ShippedFiles("stimuli", "protocol")
EXPERIMENTS = ShippedFiles("experiments", "experiment")


def _is_file(file: Path) -> bool:
    try:
        return file.is_file()
    except OSError:  # a name too long for any file
        return False


def _shipped_folder() -> Path:
    package = Path(__file__).parents[1]
    # Inside a wheel the protocols lie in the package; in a checkout, beside it.
    inside = package / "shipped_protocols"
    return inside if inside.is_dir() else package.parent / "protocols"


def read_title(file: Path) -> str:
    """Return the title of a protocol or an experiment, or nothing where it has none.

    Raises
    ------
    StimgenError
        The file cannot be read.
    """
    data = read_document(file).data
    return str(data.get("title", "")) if isinstance(data, dict) else ""
