"""A journal on which judges differ, made smaller, and shown."""

import json
from collections.abc import Iterator
from typing import Any

from rules.journal import JournalError, case_from_data

Document = dict[str, Any]


def with_entry_ids(document: Document) -> Document:
    """The document with ids by position written out, so that dropping an entry renames no other."""
    entries = [{"id": f"e{number}", **item} for number, item in enumerate(document["entries"], start=1)]
    return {**document, "entries": entries}


def smaller_documents(document: Document, most: int = 1) -> Iterator[Document]:
    """The document without some entries in a row, `most` of them; at the end, without an entry or a header field."""
    entries, head = document["entries"], document["case"]
    for place in range(0, len(entries), most):
        yield {**document, "entries": entries[:place] + entries[place + most :]}
    if most == 1:
        for name in head.keys() - {"id"}:
            yield {**document, "case": {key: value for key, value in head.items() if key != name}}


def is_journal(document: Document) -> bool:
    """Whether the document is still valid: an entry that is gone may have been named by a correction."""
    try:
        case_from_data(document)
    except JournalError:
        return False
    return True


def small_and_whole(small: Document, document: Document) -> list[str]:
    """Lines that show the journal made small, and the whole one to repeat with."""
    lines = [f"case: {json.dumps(small['case'], ensure_ascii=False)}"]
    lines += [f"  {json.dumps(entry, ensure_ascii=False)}" for entry in small["entries"]]
    return [*lines, "The whole journal:", json.dumps(document, ensure_ascii=False)]
