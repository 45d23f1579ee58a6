"""How often Python looks for garbage in cycles, in processes that live long."""

from __future__ import annotations

import gc

# A batch of events, or a second of deliveries, makes and drops some hundred thousand small objects,
# hardly any of them in cycles: to look for cycles as often as Python does by default is work for
# nothing.
_THRESHOLDS = (50_000, 20, 50)


def collect_seldom() -> None:
    """What is loaded by now stays for good, and is shared by the processes that are forked."""
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
