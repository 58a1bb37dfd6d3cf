"""What Triton's log says about its models while they load."""

import re
from pathlib import Path

_LOADED = re.compile(r"successfully loaded '([^']+)'")
_FAILED = re.compile(r"failed to load '([^']+)' version (\d+): (.*)\"$", re.MULTILINE)
_LAST_LINES = 10


class TritonLog:
    """The log file of Triton's present run."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def loaded_models(self) -> list[str]:
        """Return the models that are loaded and warm, in the order in which they became so."""
        return list(dict.fromkeys(_LOADED.findall(self._text())))

    def explain_failure(self) -> str:
        """Return why models failed, or else the last lines, with the path of the whole log."""
        text = self._text()
        failures = [f"  {name}: {_unescape(why)}" for name, _, why in _FAILED.findall(text)]
        told = [f"  {line}" for line in text.splitlines() if line and line[0] not in "+|"]
        lines = failures or told[-_LAST_LINES:]
        return "\n".join(["", *lines, f"  The whole log: {self.path}"])

    def _text(self) -> str:
        return self.path.read_text(errors="replace") if self.path.exists() else ""


def _unescape(message: str) -> str:
    return message.replace("\\n", "\n    ").replace('\\"', '"').rstrip()
