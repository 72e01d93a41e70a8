"""The writers of what joint operations hold beside their proceeding: who is named, forces, roll-call, results."""

from services.casework.commands.operations.forces import Force, add_force, change_force, withdraw_force
from services.casework.commands.operations.naming import Named, name_member, strike_member
from services.casework.commands.operations.reading import read_operation
from services.casework.commands.operations.results import Result, add_entry, withdraw_entry
from services.casework.commands.operations.rollcall import confirm_presence

__all__ = [
    "Force", "Named", "Result", "add_entry", "add_force", "change_force", "confirm_presence", "name_member",
    "read_operation", "strike_member", "withdraw_entry", "withdraw_force",
]
