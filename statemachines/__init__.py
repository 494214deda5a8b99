"""Where the client is: five statecharts, the path a journal takes through them, and their diagrams.

This package knows nothing of rules. A journal entry is any object with ``type``, ``date`` and ``id``; other fields are
read by name and may be missing.
"""

from statemachines.charts import (
    CHARTS,
    COACHING_RUNNING,
    PHASES,
    REFERRAL_OPEN,
    STATES,
    TRIGGERS,
    EntryLike,
    TriggerInfo,
    allowed,
)
from statemachines.path import (
    ARRANGEMENT,
    NO_ROW,
    STAGES,
    ActivityEpisode,
    CoachingEpisode,
    Episode,
    Path,
    PathState,
    ReferralEpisode,
    follow,
)

__all__ = [
    "ARRANGEMENT",
    "CHARTS",
    "COACHING_RUNNING",
    "NO_ROW",
    "PHASES",
    "REFERRAL_OPEN",
    "STAGES",
    "STATES",
    "TRIGGERS",
    "ActivityEpisode",
    "CoachingEpisode",
    "EntryLike",
    "Episode",
    "Path",
    "PathState",
    "ReferralEpisode",
    "TriggerInfo",
    "allowed",
    "follow",
]
