"""Bodies of notify's API: one module a capability."""

from services.notify.schemas.base import (
    Body,
    Code,
    Codes,
    Name,
    Scopes,
)
from services.notify.schemas.directory import (
    AccountChange,
    AccountIn,
    AccountOut,
    SystemChange,
    SystemIn,
    SystemOut,
    TokenOut,
)
from services.notify.schemas.notices import (
    NoticeOut,
)
from services.notify.schemas.webhooks import (
    DeliveryOut,
    EndpointChange,
    EndpointIn,
    EndpointOut,
)

__all__ = [
    "AccountChange",
    "AccountIn",
    "AccountOut",
    "Body",
    "Code",
    "Codes",
    "DeliveryOut",
    "EndpointChange",
    "EndpointIn",
    "EndpointOut",
    "Name",
    "NoticeOut",
    "Scopes",
    "SystemChange",
    "SystemIn",
    "SystemOut",
    "TokenOut",
]
