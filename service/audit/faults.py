"""What is wrong with a chain, a checkpoint or a store, each fault with its place and in words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: `place` is a chain or a file, `seq` the link in it that the fault is about, if it is about one."""

    place: str
    seq: int | None
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}" if self.seq is None else f"{self.place} link {self.seq}: {self.text}"


def links(first: int, last: int) -> str:
    """The words for a run of links, such as `link 4 is` or `links 4 to 9 are`."""
    return f"link {first} is" if first == last else f"links {first} to {last} are"
