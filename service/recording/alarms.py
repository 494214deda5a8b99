"""The alarm of a decision left undetermined: a metric to wake someone, and a line in the log that names no client."""

from __future__ import annotations

import logging

from service.operations.metrics import ENGINE_DIFFERENCES

_log = logging.getLogger(__name__)


def tell_alarm(decision: str) -> None:
    """Raise the alarm for a decision. What the engines said, with the facts, stands in the decision record."""
    ENGINE_DIFFERENCES.inc()
    _log.error("decision undetermined", extra={"reason": decision})
