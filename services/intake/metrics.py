"""Intake's own metrics; docs/ops/metrics.md explains each."""

from prometheus_client import Counter, Gauge

from shared.kit.metrics import REGISTRY

TIPS_RECEIVED = Counter("dachuan_tips_received", "Tips received, by channel.", ["channel"], registry=REGISTRY)
FILES_TAKEN = Counter(
    "dachuan_files_taken", "Files taken with tips, by kind and the state they were recorded in.", ["kind", "state"],
    registry=REGISTRY,
)
FILES = Gauge(
    "dachuan_files", "Files of tips on record, by kind, state and scan.", ["kind", "state", "scan"], registry=REGISTRY
)
FILES_SWEPT = Counter("dachuan_files_swept", "Files removed because their rows never came.", registry=REGISTRY)
WORK_BITS = Gauge(
    "dachuan_work_difficulty", "Bits of proof of work now asked of anonymous posts; 0: none.", registry=REGISTRY
)
WORK_POSTS = Counter(
    "dachuan_work_posts",
    "Anonymous posts by what became of them at the door: free, proven, waited, urgent (taken unproven), turned_back.",
    ["outcome"],
    registry=REGISTRY,
)
TIPS = Gauge("dachuan_tips", "Tips on record, by channel and state.", ["channel", "state"], registry=REGISTRY)
PATROL_TASKS = Gauge(
    "dachuan_patrol_tasks", "Unfinished patrol tasks, by plan and state.", ["plan", "state"], registry=REGISTRY
)
REWARD_FUND_FREE = Gauge(
    "dachuan_reward_fund_free_yuan", "Yuan of this year's reward fund neither paid nor set aside, by plan.", ["plan"],
    registry=REGISTRY,
)
RETENTION_WAITING = Gauge(
    "dachuan_retention_waiting", "Tips past their time whose words a case, a hold or a reward still needs.", ["plan"],
    registry=REGISTRY,
)
