"""Triton's health, asked over gRPC; as a program with an address: exit status 0 if it lives.

Of gRPC only the transport is used: containers of Triton run this file alone.
"""

import sys

import grpc

_SERVICE = "/inference.GRPCInferenceService"
_ANSWER_SECONDS = 1.0
# A message whose first field, a boolean, is true; gRPC leaves out one that is false.
_YES = b"\x08\x01"


def is_live(address: str) -> bool:
    """Return whether Triton answers at `host:port`: its models are loaded, its arguments read."""
    return _answers_yes(address, "ServerLive")


def is_ready(address: str) -> bool:
    """Return whether Triton says that it and every model are ready; false while one loads."""
    return _answers_yes(address, "ServerReady")


def _answers_yes(address: str, method: str) -> bool:
    # Triton is on this machine, whatever proxy the environment names.
    options = [("grpc.enable_http_proxy", 0)]
    with grpc.insecure_channel(address, options) as channel:
        try:
            answer = channel.unary_unary(f"{_SERVICE}/{method}")(b"", timeout=_ANSWER_SECONDS)
        except grpc.RpcError:
            return False
    return bool(answer == _YES)


if __name__ == "__main__":
    sys.exit(not is_live(sys.argv[1]))
