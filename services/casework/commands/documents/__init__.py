"""Documents of cases: drafted, approved, issued under a number, served, withdrawn; their numbers and templates."""

from services.casework.commands.documents.desk import Desk
from services.casework.commands.documents.drafting import discard, draft, edit
from services.casework.commands.documents.issuing import approve, issue
from services.casework.commands.documents.numbers import set_first, set_style
from services.casework.commands.documents.reading import make_file, pressed, readable, record_reading
from services.casework.commands.documents.room import DocumentRoom
from services.casework.commands.documents.serving import serve, withdraw
from services.casework.commands.documents.templates import checked, current_template, set_template

__all__ = [
    "Desk",
    "DocumentRoom",
    "approve",
    "checked",
    "current_template",
    "discard",
    "draft",
    "edit",
    "issue",
    "make_file",
    "pressed",
    "readable",
    "record_reading",
    "serve",
    "set_first",
    "set_style",
    "set_template",
    "withdraw",
]
