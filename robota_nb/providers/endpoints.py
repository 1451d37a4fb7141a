"""The import path of the first release, which its documentation named; it goes on working.

The names are at home in `robota_nb.providers.endpoint` and `robota_nb.providers.registry`.
"""

from __future__ import annotations

from robota_nb.providers.endpoint import Endpoint, EndpointError, builtin_endpoints, parse_endpoints, url_problem
from robota_nb.providers.registry import ProviderRegistry

__all__ = ["Endpoint", "EndpointError", "ProviderRegistry", "builtin_endpoints", "parse_endpoints", "url_problem"]
