"""Sights for tests: those of the tables, and others drawn at random or hiding a single field."""

import random

from rules.provenance import HEADER, Pair
from service.access.policy import Sight, sees
from service.access.principal import ROLES
from service.access.relations import RELATIONS
from service.access.tables import OF_HAPPENING, VIEWS, every_field
from tests.perturb import pairs

#: Without these nothing can be read rightly: no sight with an assessment hides them.
FRAME = frozenset(
    {(HEADER, "id"), (HEADER, "not_recorded"), (HEADER, "complete_from"), ("correction", "voids")}
    | {(type_, name) for type_ in ("correction", "advice_set_aside") for name in OF_HAPPENING}
    | {("advice_set_aside", "rule"), ("advice_set_aside", "until")}
)

#: Every sight of the tables with an assessment or a journal.
OF_THE_TABLES = [
    sight
    for role in ROLES
    for relation in RELATIONS
    if (sight := sees(role, relation)).opens("journal") or sight.opens("assessment")
]


def hiding(*hidden: Pair) -> Sight:
    """A sight with every view that hides these fields; an entry type's `date` hides its entries wholly."""
    unfolded = set(hidden)
    for type_, name in hidden:
        if name == "date":
            unfolded |= {(type_, field) for field in every_field()[type_] if field != "happened"}
            unfolded |= {(type_, field) for field in OF_HAPPENING}
    return Sight("social_worker", "assigned", frozenset(VIEWS), frozenset(unfolded - FRAME))


#: What a sight may hide, one by one.
HIDEABLE = [pair for pair in pairs() if pair not in FRAME and pair[1] not in ("by", "recorded_at")]


def random_sight(rng: random.Random) -> Sight:
    """A sight that hides some fields."""
    return hiding(*rng.sample(HIDEABLE, rng.choice((1, 2, 5, 12, 30))))
