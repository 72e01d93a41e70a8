"""The downline of a case: facts recorded by hand or from a file, members described, the network evaluated."""

from services.casework.commands.downline.evaluating import evaluate_case, evaluate_due
from services.casework.commands.downline.importing import bring_in
from services.casework.commands.downline.members import change_member
from services.casework.commands.downline.writing import Outcome, record_rows

__all__ = ["Outcome", "bring_in", "change_member", "evaluate_case", "evaluate_due", "record_rows"]
