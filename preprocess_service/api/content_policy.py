"""Headers that allow a browser nothing but to show an answer."""

import base64
import hashlib
import re

_POLICY_HEADER = "Content-Security-Policy"
_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_NOWHERE = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

#: Of every answer that says nothing else: its type is what it says, and it loads and runs nothing;
#: the HTML that is written of documents has a style of its own.
CONTENT_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    _POLICY_HEADER: f"default-src 'none'; style-src 'unsafe-inline'; {_NOWHERE}",
}


def page_headers(html: str) -> dict[str, str]:
    """The headers of a page of this server's own: it runs its scripts and loads from here."""
    scripts = [
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        for script in _INLINE_SCRIPT.findall(html)
    ]
    allowed = " ".join(["'self'", *(f"'sha256-{digest}'" for digest in scripts)])
    policy = (
        f"default-src 'none'; script-src {allowed}; style-src 'self' 'unsafe-inline'; "
        f"img-src 'self' data:; connect-src 'self'; {_NOWHERE}"
    )
    return {_POLICY_HEADER: policy}
