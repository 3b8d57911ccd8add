"""How much the product may decide by itself."""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    """ASSISTED: a person approves every action. SUPERVISED: auto-approve rules apply to low risk; a person approves the
    rest. AUTONOMOUS: auto-approve rules apply to every risk they name; what no rule covers is still asked."""

    ASSISTED = "assisted"
    SUPERVISED = "supervised"
    AUTONOMOUS = "autonomous"
