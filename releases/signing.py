"""Signatures of releases in minisign's format (https://jedisct1.github.io/minisign/)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ocr_base.settings import from_environment
from releases.errors import ReleaseError
from releases.manifest import MANIFEST


@dataclass(frozen=True)
class Signer:
    """Signs and checks manifests, which name every file by its digest.

    Attributes:
        public_key: File or base64 text of the key that every release must be signed with;
            without one, no signature is asked for.
        secret_key: File of the key to sign with; its password is `MINISIGN_PASSWORD`.
    """

    public_key: str | None = None
    secret_key: Path | None = None

    def sign(self, folder: Path) -> None:
        """Sign a release's manifest, where there is a key to sign with.

        Raises:
            ReleaseError: The key cannot be used.
        """
        if self.secret_key is None:
            return
        import minisign

        try:
            key = minisign.SecretKey.from_file(self.secret_key)
            if key.is_encrypted():
                key.decrypt(from_environment("MINISIGN_PASSWORD") or "")
            key.sign_file(folder / MANIFEST, prehash=True, drop_signature=True)
        except (OSError, ValueError, minisign.Error) as error:
            raise ReleaseError(f"{self.secret_key} cannot sign: {error}") from error

    def check(self, folder: Path) -> None:
        """Check a release's signature, where a key is configured.

        Raises:
            ReleaseError: The release is not signed, or by another key, or was changed since.
        """
        if self.public_key is None:
            return
        import minisign

        try:
            self._key().verify_file(folder / MANIFEST)
        except FileNotFoundError as error:
            raise ReleaseError(
                f"{folder} is not signed: stage it with --secret-key, or sign its {MANIFEST} with "
                f"minisign (RELEASE_PUBLIC_KEY asks for that)"
            ) from error
        except (OSError, ValueError, minisign.Error) as error:
            raise ReleaseError(
                f"{folder} is not signed with RELEASE_PUBLIC_KEY: {error or type(error).__name__}"
            ) from error

    def _key(self) -> Any:
        import minisign

        assert self.public_key is not None
        if Path(self.public_key).is_file():
            return minisign.PublicKey.from_file(self.public_key)
        return minisign.PublicKey.from_base64(self.public_key)
