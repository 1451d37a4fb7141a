"""The messages of a turn whose answer called tools, as other programs may write them; and of the turn after it."""

from robota_nb.core.record import entries as make

CHAT = "c_" + "1" * 32
AT = "2026-11-22T09:00:00Z"


def said(n, role, parent, text, **fields):
    message = {"kind": "message", "n": n, "at": AT, "chat": CHAT, "role": role, "content": [text], **fields}
    return {**message, "parent": make.entry_id(parent)} if parent else message


def of(*entries):
    """Entries by their ids."""
    return {make.entry_id(entry): entry for entry in entries}


QUESTION = said(1, "user", None, "how warm?", cell=["cell", 0, "hash"])
CALLS = said(2, "assistant", QUESTION, "let me look")
RESULT = said(3, "tool", CALLS, "7")
MORE_CALLS = said(4, "assistant", RESULT, "and there?")
OTHER_RESULT = said(5, "tool", MORE_CALLS, "8")
ANSWER = said(6, "assistant", OTHER_RESULT, "7 and 8")
NEXT = said(7, "user", ANSWER, "thanks")
LAST = said(8, "assistant", NEXT, "welcome")
CHAIN = [QUESTION, CALLS, RESULT, MORE_CALLS, OTHER_RESULT, ANSWER, NEXT, LAST]
