"""What other packages implement or read: the protocols, the values that they exchange, entries, and events.

Each name lives where it is used; this module only gathers them, so that an import of one does not depend on where.
"""

from __future__ import annotations

from robota_nb.core.events import (
    Activated,
    Changed,
    Delayed,
    EntriesAdded,
    Event,
    Notice,
    TextArrived,
    TurnEnded,
    TurnStarted,
)
from robota_nb.core.interrupts import Cancellation
from robota_nb.core.ports import (
    Carrier,
    Entries,
    Entry,
    Finish,
    FinishReason,
    Image,
    ListsModels,
    Provider,
    Providers,
    Request,
    Store,
    StreamEvent,
    TextDelta,
    Usage,
    Waiting,
    Warms,
)
from robota_nb.core.record.types import (
    ActiveEntry,
    ChatEntry,
    ConfigEntry,
    HeadEntry,
    ImageEntry,
    MessageEntry,
    PurgedEntry,
    SessionEntry,
    SetEntry,
    Snapshot,
)

__all__ = [
    "Activated",
    "ActiveEntry",
    "Cancellation",
    "Carrier",
    "Changed",
    "ChatEntry",
    "ConfigEntry",
    "Delayed",
    "Entries",
    "EntriesAdded",
    "Entry",
    "Event",
    "Finish",
    "FinishReason",
    "HeadEntry",
    "Image",
    "ImageEntry",
    "ListsModels",
    "MessageEntry",
    "Notice",
    "Provider",
    "Providers",
    "PurgedEntry",
    "Request",
    "SessionEntry",
    "SetEntry",
    "Snapshot",
    "Store",
    "StreamEvent",
    "TextArrived",
    "TextDelta",
    "TurnEnded",
    "TurnStarted",
    "Usage",
    "Waiting",
    "Warms",
]
