"""The invented messages of this folder: `label | kinds or topic | subject | text`, one a line.

A label is R (relevant) or N, with U when it is urgent, and may name the target it shares with others of its file.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    """One message and what its reading should say."""

    name: str
    relevant: bool
    urgent: bool
    expected: str
    subject: str
    text: str
    target: str = ""
    """A name shared by the messages about one target; with `~` behind it where only a person would know them as one."""

    @property
    def file(self) -> str:
        """The file it stands in: targets are named within one."""
        return self.name.partition(":")[0]

    @property
    def kinds(self) -> set[str]:
        """Kinds a relevant message must at least show."""
        return set(self.expected.split(",")) - {"unspecified", "-"}


def cases() -> Iterator[Case]:
    """All of them, in order."""
    for file in sorted(HERE.glob("messages_*.txt")):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if not line or line.startswith("#"):
                continue
            label, expected, subject, text = (part.strip() for part in line.split("|", 3))
            label, _, target = label.partition(" ")
            yield Case(f"{file.stem}:{number}", "R" in label, "U" in label, expected, subject, text, target)
