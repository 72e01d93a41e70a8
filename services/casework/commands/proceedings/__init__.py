"""The only writers of proceedings (办案程序): open one, take a step, read one, mark its clocks missed."""

from services.casework.commands.proceedings.lateness import mark_proceedings_missed
from services.casework.commands.proceedings.opening import Wanted, open_by_system, open_proceeding
from services.casework.commands.proceedings.reading import read_proceeding
from services.casework.commands.proceedings.secrecy import release_due
from services.casework.commands.proceedings.stepping import take_step

__all__ = [
    "Wanted", "mark_proceedings_missed", "open_by_system", "open_proceeding", "read_proceeding", "release_due",
    "take_step",
]
