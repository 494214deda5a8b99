"""Metrics for Prometheus. Labels are route templates, methods, statuses and codes of ours: nothing about a person.

One registry a process. The counters are module constants, counted where the thing happens.
"""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_1_0_0

CONTENT_TYPE = CONTENT_TYPE_PLAIN_1_0_0
REGISTRY = CollectorRegistry()
# A second series for each of ours, of when it began: Prometheus does not use it.
disable_created_metrics()  # type: ignore[no-untyped-call]
ProcessCollector(registry=REGISTRY)  # memory, processor time, open files

REQUESTS = Counter("polku_requests", "Requests answered", ["method", "route", "status"], registry=REGISTRY)
REQUEST_SECONDS = Histogram(
    "polku_request_seconds",
    "Time from a request's head to the end of its answer",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.02, 0.03, 0.06, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0),
    registry=REGISTRY,
)
REQUESTS_RUNNING = Gauge("polku_requests_running", "Requests being worked on", registry=REGISTRY)
LIMITED = Counter("polku_limited_requests", "Requests refused by a limit", ["limit"], registry=REGISTRY)

#: An alarm: two rule engines came to different outcomes, and a decision stands as undetermined.
ENGINE_DIFFERENCES = Counter(
    "polku_engine_differences", "Times the two rule engines differed, or one failed", registry=REGISTRY
)
RECORDED_ENTRIES = Counter("polku_recorded_entries", "Entries recorded", registry=REGISTRY)
REFUSED_READS = Counter("polku_refused_reads", "Reads of a client refused for want of a relation", registry=REGISTRY)
EMERGENCY_ACCESSES = Counter("polku_emergency_accesses", "Emergency accesses taken", registry=REGISTRY)
SNOOPING_ALARMS = Counter(
    "polku_snooping_alarms", "Times a user came to read unusually many different clients in an hour", registry=REGISTRY
)
UNUSUAL_READERS = Gauge(
    "polku_unusual_readers", "Users who have read unusually many different clients in the last hour", registry=REGISTRY
)

STORE_UP = Gauge("polku_store_up", "1 when the database answers", registry=REGISTRY)
CHECKPOINT_AGE = Gauge(
    "polku_checkpoint_age_seconds", "Time since the last signed checkpoint; NaN when there is none", registry=REGISTRY
)
BUILD = Gauge("polku_build_info", "1, labelled with the program's version", ["version"], registry=REGISTRY)


def exposition() -> bytes:
    """Every metric in Prometheus's text format."""
    return generate_latest(REGISTRY)
