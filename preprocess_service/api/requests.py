"""What every request has: its path, its id, and its caller as one name."""

import hashlib
import re
import uuid
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import cast

from fastapi import Request

REQUEST_ID_HEADER = "X-Request-ID"

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:+=@/-]{1,128}")
# Whoever has an address of IPv6 has the 2^64 others of its network.
_OWN_BITS = 64


def choose_request_id(given: str | None) -> str:
    """The caller's request id, or a new one where there is none or it is no plain token."""
    return given if given and _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def request_id_of(request: Request) -> str:
    """The id that the middleware gave this request."""
    return cast(str, request.state.request_id)


def caller_of(request: Request) -> str:
    """A digest of the caller's API key, or of its address where no key is asked for."""
    key_digest = getattr(request.state, "caller", None)
    if key_digest is not None:
        return str(key_digest)
    host = request.client.host if request.client else None
    return hashlib.sha256(network_of(host).encode()).hexdigest()


@lru_cache(maxsize=4096)  # asked for several times a connection
def network_of(host: str | None) -> str:
    """What counts as one address: of IPv6 a whole network."""
    if host is None:
        return "unknown"
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:  # a Unix socket's peer has none
        return host
    if not isinstance(address, IPv6Address):
        return host
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return f"{IPv6Address(int(address) >> _OWN_BITS << _OWN_BITS)}/{_OWN_BITS}"
