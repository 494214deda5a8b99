"""The fold: a journal becomes subjects with facts (DESIGN "Facts").

One Python implementation, for one case and for a million. It reads no clock; what it needs of the law's and of local
numbers are parameters of the pack.
"""

from __future__ import annotations

from rules.fold.record import PROPOSAL, History, Record, visible_entries
from rules.fold.subjects import Folded, Subject, fold

#: Kept with each recorded decision; raised when a fact's meaning changes (docs/fold-changelog.md).
FOLD_VERSION = "1"

#: The pack parameters the fold reads.
PARAMETERS_READ = (
    "referral.lapse_months",
    "referral.lookback_months",
    "interest.ask_again_months",
    "plan.lookback_months",
    "endorsement.valid_months",
    "follow_up.from_months",
    "transition.before_trial_days",
    "trial.failure_contact_days",
    "hire.support_months",
    "job_loss.coaching_months",
    "job_contact.before_days",
    "job_contact.start_days",
    "job_contact.first_weeks",
    "job_contact.first_month_days",
    "job_contact.year_months",
)

__all__ = [
    "FOLD_VERSION",
    "PARAMETERS_READ",
    "PROPOSAL",
    "Folded",
    "History",
    "Record",
    "Subject",
    "fold",
    "visible_entries",
]
