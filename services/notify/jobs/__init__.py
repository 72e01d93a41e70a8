"""Timed work of notify: one module a capability; a due row becomes a command."""

from services.notify.jobs.deliveries import Deliverer, give_up, message
from services.notify.jobs.gauges import measure
from services.notify.jobs.notices import raise_unsigned, ring

__all__ = ["Deliverer", "give_up", "measure", "message", "raise_unsigned", "ring"]
