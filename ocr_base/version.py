"""Which version of the server and of its interface this is: the one place that says it."""

VERSION = "0.1.0"
"""As packages, the OpenAPI document, written results, metrics and image labels name it."""

API = "/api/v1"
"""Before every path of the HTTP interface."""
