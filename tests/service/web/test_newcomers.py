"""A new client's form sent again, and by whom it is not to be sent."""

from __future__ import annotations

from tests.service.api.asking import Client
from tests.service.api.people import person
from tests.service.api.world import showing
from tests.service.web.filling import opened, standing
from tests.service.web.looking import look, send

NEW = "/clients/new"


def test_the_form_sent_again_puts_no_other_name_in_place_of_the_one_kept(client: Client) -> None:
    typed = {**standing(opened(client, NEW)), "e0.name": "Anna Esimerkki"}
    address = str(send(client, NEW, typed).answer.headers["location"])
    identity = f"/v1/cases/{address.removeprefix('/clients/').partition('?')[0]}/identity"
    assert send(client, NEW, typed).answer.headers["location"] == address
    assert client.put(identity, {"name": "Anna Uusi", "phone": "040"}).status_code == 200
    for again in (typed, {**typed, "e0.name": "Anna Kolmas"}):
        seen = send(client, NEW, again)
        assert (seen.status, standing(seen)["key"] != typed["key"]) == (409, True)
        assert client.get(identity).json()["identity"] == {"name": "Anna Uusi", "phone": "040"}


def test_who_would_not_reach_the_client_afterwards_takes_none(anyone: Client) -> None:
    leader = showing(anyone, person("martta", "team_leader", team=None))
    assert look(leader, NEW).status == 403
    assert not look(leader, "/clients").all(f"a[href='{NEW}']")
    assert send(leader, NEW, {"key": "k" * 32, "e0.name": "Anna"}).status == 403
