"""Who asks: authenticated once for each request, before anything of it is read, and counted against their limit."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header

from service.access.principal import Principal
from service.api.context import Polku
from service.api.parameters import Purpose
from service.login.authentication import ROLE_HEADER, authenticate, identify
from service.reading import Reader

Role = Annotated[
    str | None,
    Header(alias=ROLE_HEADER, description="The role to act in, for users who have several (GET /v1/me lists them)."),
]


async def asking(polku: Polku, principal: Annotated[Principal, Depends(authenticate)], role: Role = None) -> Principal:
    """Whoever asks, in the role they act in. Raises ApiProblem over the limit, and what `authenticate` raises."""
    polku.watch.users.check(principal.user)
    return principal


async def reading(asking: Annotated[Principal, Depends(asking)], purpose: Purpose = None) -> Reader:
    """Whoever asks, as a reader of clients' data, with what it is read for."""
    return Reader(asking, purpose)


async def known(polku: Polku, principal: Annotated[Principal, Depends(identify)], role: Role = None) -> Principal:
    """Whoever asks, also when they have not chosen among their roles."""
    polku.watch.users.check(principal.user)
    return principal


Asking = Annotated[Principal, Depends(asking)]
Reads = Annotated[Reader, Depends(reading)]
Known = Annotated[Principal, Depends(known)]
