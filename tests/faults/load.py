"""Clients that record, read, repeat themselves and get in each other's way, and the ledger of what they were told."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.faults.client import Answer, Client, Unanswered
from tests.faults.ledger import Acknowledged, Ledger

DAY = "2024-01-15"
#: How long a client asks again for an answer before it gives up, seconds.
PATIENCE = 120.0
Request = Callable[[], Answer]


def new_case(case_id: str, worker: str = "worker-1") -> dict[str, Any]:
    """A case to open: somebody assigned, an activity running."""
    return {
        "case": {"id": case_id, "municipality": "Orimattila", "birth_year": 1980, "language": "fi"},
        "entries": [
            {"date": "2024-01-05", "type": "worker_assigned", "role": "social_worker", "worker": worker},
            {"date": "2024-01-07", "type": "activity_started", "days_per_week": 3, "period_end": "2025-12-31"},
        ],
    }


def contact(mark: str) -> dict[str, str]:
    """An entry that no guard blocks, told from every other by its note."""
    return {"date": DAY, "type": "contact", "party": "client", "by": "social_worker", "form": "phone", "note": mark}


@dataclass(slots=True)
class Worker:
    """One client program's share of the load: `turn` does one random thing; what was told goes into the ledger.

    When `stopped` is set, it still waits for the answer to what it has asked.
    """

    connect: Callable[[], Client]
    cases: Sequence[str]
    ledger: Ledger
    chance: random.Random
    stopped: threading.Event
    #: The last version this worker knows of each case; mostly right, sometimes old.
    versions: dict[str, int] = field(default_factory=dict)
    _client: Client | None = None

    def run(self, turns: Callable[[], bool]) -> None:
        """Go on while `turns()` says so and nobody has stopped the load."""
        try:
            while turns() and not self.stopped.is_set():
                self.turn()
        except Exception as error:
            self.ledger.fault(f"a worker broke down: {type(error).__name__}: {error}")
            raise
        finally:
            if self._client is not None:
                self._client.close()

    def turn(self) -> None:
        """One thing: recording three times in five, else reading; every other time in a case all are at."""
        case = self.chance.choice(self._busy() if self.chance.random() < 0.5 else self.cases)
        if self.chance.random() < 0.6:
            self.record(case)
        else:
            self.read(case)

    def _busy(self) -> Sequence[str]:
        """The two cases everybody is at now; others after a while, so that none grows beyond what a case is."""
        place = 2 * (self.ledger.counts.get("recorded", 0) // 150) % len(self.cases)
        return self.cases[place : place + 2]

    def read(self, case: str) -> None:
        """Read a case, or what is next in it."""
        path = f"/v1/cases/{case}" + ("/next-steps" if self.chance.random() < 0.5 else "")
        answer = self._answered(lambda: self._ask("GET", path))
        if answer is None:
            return
        self.ledger.count("read")
        if answer.status != 200:
            self.ledger.fault(f"GET {path} was answered {answer.status}: {answer.body}")
        elif "next-steps" not in path:
            self.versions[case] = int(answer.etag.strip('"v'))

    def record(self, case: str) -> None:
        """Record one to three entries; now and then send the same request twice, or its key with another body."""
        if case not in self.versions:
            self.read(case)
            if case not in self.versions:
                return
        base, key = self.versions[case], uuid.uuid4().hex
        marks = tuple(uuid.uuid4().hex for _ in range(self.chance.choice((1, 1, 1, 2, 3))))
        body = {"entries": [contact(mark) for mark in marks]}
        path = f"/v1/cases/{case}/entries"

        def send() -> Answer:
            return self._ask("POST", path, body, If_Match=f'"v{base}"', Idempotency_Key=key)

        both = self.chance.random() < 0.1
        answer = self._twice_at_once(path, body, base, key) if both else self._answered(send)
        if answer is None:
            self.ledger.left(marks, known=False)
            self.versions.pop(case, None)
            return
        self._took(case, base, marks, answer)
        if answer.status == 201 and self.chance.random() < 0.15:
            self._repeat(send, answer)
        if answer.status == 201 and self.chance.random() < 0.05:
            self._other_body(path, base, key)

    def _took(self, case: str, base: int, marks: tuple[str, ...], answer: Answer) -> None:
        if answer.status == 201:
            told = answer.body
            self.versions[case] = told["version"]
            if told["version"] != base + 1:
                self.ledger.fault(f"{case}: recorded on version {base}, and the answer tells of {told['version']}")
            self.ledger.took(Acknowledged(case, base, told["version"], told["decision"], marks))
            return
        self.ledger.left(marks, known=True)
        self.versions.pop(case, None)
        self.ledger.count("refused as too old")
        if answer.status != 412:
            self.ledger.fault(f"{case}: recording was answered {answer.status}: {answer.body}")

    def _repeat(self, send: Request, before: Answer) -> None:
        """The same request again is answered alike, and marked."""
        again = self._answered(send)
        if again is None:
            return
        self.ledger.count("repeated")
        if (again.status, again.body["decision"]) != (before.status, before.body["decision"]):
            self.ledger.fault(f"the same request again was answered {again.status}: {again.body}")
        elif again.headers.get("idempotency-replayed") != "true":
            self.ledger.fault("a repeated answer does not say that it is one")

    def _other_body(self, path: str, base: int, key: str) -> None:
        """Another request under a used key is refused, and nothing of it kept."""
        mark = uuid.uuid4().hex
        body = {"entries": [contact(mark)]}
        answer = self._answered(lambda: self._ask("POST", path, body, If_Match=f'"v{base}"', Idempotency_Key=key))
        if answer is None:
            self.ledger.left((mark,), known=False)
            return
        self.ledger.left((mark,), known=True)
        self.ledger.count("key used for another")
        if answer.status != 422:
            self.ledger.fault(f"a key used for another request was answered {answer.status}: {answer.body}")

    def _twice_at_once(self, path: str, body: object, base: int, key: str) -> Answer | None:
        """The same request from two connections at once: whatever comes of it, both are told the same."""
        answers: list[Answer | None] = [None, None]

        def send(place: int, client: Client) -> None:
            def ask() -> Answer:
                return client("POST", path, body, If_Match=f'"v{base}"', Idempotency_Key=key)

            try:
                answers[place] = self._answered(ask)
            finally:
                client.close()

        threads = [threading.Thread(target=send, args=(place, self.connect())) for place in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.ledger.count("sent twice at once")
        first, second = answers
        if first is None or second is None:
            return first or second
        if {first.status, second.status} == {201, 412}:
            self.ledger.fault("of two equal requests one was recorded and the other refused")
        if first.status == second.status == 201 and first.body["decision"] != second.body["decision"]:
            self.ledger.fault("two equal requests under one key made two decisions")
        return first

    def _ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        if self._client is None:
            self._client = self.connect()
        return self._client(method, path, body, **headers)

    def _answered(self, ask: Request) -> Answer | None:
        """The answer, asked for again while the server is gone or out of order; None when it stays so."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                answer = ask()
            except Unanswered:
                self.ledger.count("unanswered")
            else:
                if answer.status != 503:
                    return answer
                self.ledger.count("answered 503")
                if answer.headers.get("content-type") != "application/problem+json":
                    self.ledger.fault("a 503 that is no problem document")
            time.sleep(0.05)
        return None


def start_load(workers: Sequence[Worker], requests: int | None = None) -> list[threading.Thread]:
    """Start the workers, each in a thread; they stop after so many turns between them, or when they are told to."""
    left = [requests]
    lock = threading.Lock()

    def turns() -> bool:
        with lock:
            if left[0] is None:
                return True
            left[0] -= 1
            return left[0] >= 0

    threads = [threading.Thread(target=worker.run, args=(turns,), daemon=True) for worker in workers]
    for thread in threads:
        thread.start()
    return threads
