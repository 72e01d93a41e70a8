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
    ChannelFigures,
    DeliveryOut,
    EndpointChange,
    EndpointIn,
    EndpointOut,
    FiguresOut,
    ReplayIn,
    ReplayOut,
    SecretChange,
)

__all__ = [
    "AccountChange",
    "AccountIn",
    "AccountOut",
    "Body",
    "ChannelFigures",
    "Code",
    "Codes",
    "DeliveryOut",
    "EndpointChange",
    "EndpointIn",
    "EndpointOut",
    "FiguresOut",
    "Name",
    "NoticeOut",
    "ReplayIn",
    "ReplayOut",
    "Scopes",
    "SecretChange",
    "SystemChange",
    "SystemIn",
    "SystemOut",
    "TokenOut",
]
