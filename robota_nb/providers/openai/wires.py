"""Which API a model is asked by: what the endpoint's configuration says, or what fits, or what the server has said."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from robota_nb.providers.openai.chat import CHAT
from robota_nb.providers.openai.responses import RESPONSES

if TYPE_CHECKING:
    from robota_nb.core.ports import Request
    from robota_nb.providers.endpoint import Endpoint
    from robota_nb.providers.openai.wire import Wire

__all__ = ["other_wire", "wire_for"]

_OPENAI = "https://api.openai.com:443"
_OTHERS = {
    CHAT: (RESPONSES, re.compile(r"\bv1/responses\b")),
    RESPONSES: (CHAT, re.compile(r"\bv1/chat/completions\b")),
}


def wire_for(endpoint: Endpoint, request: Request) -> Wire:
    """Return the API by which an endpoint is asked.

    Unless it is configured, that is Chat Completions, which every server speaks; of OpenAI itself it is Responses where
    tools are offered or thoughts are asked for, as its newer models take these nowhere else.
    """
    if endpoint.api != "auto":
        return RESPONSES if endpoint.api == RESPONSES.name else CHAT
    asks_more = request.tools or request.params.get("reasoning_effort") is not None
    fits = endpoint.origin == _OPENAI and asks_more and not RESPONSES.lacks(request)
    return RESPONSES if fits else CHAT


def other_wire(wire: Wire, said: str) -> Wire | None:
    """Return the API that a server's refusal names as the one to ask a model by; None if it names none.

    Examples
    --------
    >>> other_wire(CHAT, "Function tools are not supported here. Please use /v1/responses instead.").name
    'responses'
    """
    other, named = _OTHERS[wire]
    return other if named.search(said) else None
