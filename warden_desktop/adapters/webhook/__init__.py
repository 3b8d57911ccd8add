"""The webhook server: deliveries in, and the control API, SSE and metrics beside it."""

from __future__ import annotations

from warden_desktop.adapters.webhook.control import Control
from warden_desktop.adapters.webhook.deliveries import Intake
from warden_desktop.adapters.webhook.door import Door, DoorError
from warden_desktop.adapters.webhook.limits import Limits
from warden_desktop.adapters.webhook.quarantine import Quarantine

__all__ = ["Control", "Door", "DoorError", "Intake", "Limits", "Quarantine"]
