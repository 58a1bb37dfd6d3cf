"""A gRPC server that answers for Triton's health, as bytes of the protocol."""

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc

YES, NO = b"\x08\x01", b""


@contextlib.contextmanager
def health_server(port: int = 0, /, **answers: bytes) -> Iterator[str]:
    """Its address; `answers` by method, such as ServerLive."""
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(lambda asked, context, told=told: told)
        for name, told in answers.items()
    }
    server = grpc.server(ThreadPoolExecutor(1))
    service = "inference.GRPCInferenceService"
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(service, handlers)])
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(0).wait()
