"""Timed work of notify: one module a capability; a due row becomes a command."""

from services.notify.jobs.deliveries import Deliverer, give_up, message
from services.notify.jobs.duties import miss_duties, set_duties
from services.notify.jobs.gauges import measure
from services.notify.jobs.ladder import climb, digests, remind
from services.notify.jobs.notices import ring
from services.notify.jobs.publicity import miss_campaigns, remind_of_campaigns, schedule_campaigns, sweep_files
from services.notify.jobs.reports import follow_plans, remind_and_mark

__all__ = ["Deliverer", "climb", "digests", "follow_plans", "give_up", "measure", "message", "miss_campaigns", "miss_duties", "remind", "remind_and_mark", "remind_of_campaigns", "ring", "schedule_campaigns", "set_duties", "sweep_files"]
