"""Which addresses of the internet are anybody's, and which are ours or our neighbours'."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

# `is_global` of older Pythons takes the first for public; the second answers inside Azure alone.
_V4_REFUSED = (IPv4Network("192.0.0.0/24"), IPv4Network("168.63.129.16/32"))
_V6_PUBLIC = IPv6Network("2000::/3")
# Inside it: addresses that stand for others (Teredo, 6to4), and those of documentation and tests.
_V6_REFUSED = tuple(
    IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)


def is_public(address: str) -> bool:
    """Whether the address belongs to the public internet, and stands for no other address.

    IPv6 addresses that carry an IPv4 address (mapped, NAT64, 6to4, Teredo) are refused whatever
    they carry: a gateway may lead them anywhere.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return _is_public_v4(parsed) if isinstance(parsed, IPv4Address) else _is_public_v6(parsed)


def _is_public_v4(address: IPv4Address) -> bool:
    special = address.is_multicast or address.is_reserved
    return address.is_global and not special and not any(address in net for net in _V4_REFUSED)


def _is_public_v6(address: IPv6Address) -> bool:
    return address in _V6_PUBLIC and not any(address in net for net in _V6_REFUSED)
