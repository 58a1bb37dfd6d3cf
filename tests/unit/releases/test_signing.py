from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import minisign
import pytest

from releases.errors import ReleaseError
from releases.signing import Signer
from releases.stage import stage_folder
from releases.store import ReleaseStore
from tests.unit.export.conftest import QUIET


@pytest.fixture
def keys(tmp_path: Path) -> tuple[str, Path]:
    pair = minisign.KeyPair.generate()
    secret = tmp_path / "minisign.key"
    secret.write_bytes(bytes(pair.secret_key))
    return pair.public_key.to_base64().decode(), secret


def test_a_signed_release_passes_and_another_does_not(store: ReleaseStore, tmp_path, keys) -> None:
    public, secret = keys
    signing = ReleaseStore(tmp_path / "signed", Signer(public, secret))
    with pytest.raises(ReleaseError, match="not signed: stage it with --secret-key"):
        stage_folder(signing, store.folder(1), QUIET, dry_run=False)
    signer = replace(signing.signer)
    signer.sign(store.folder(1))
    with signing.locked():
        assert stage_folder(signing, store.folder(1), QUIET, dry_run=False) == 1
    signing.verify(1)
    other = minisign.KeyPair.generate().public_key.to_base64().decode()
    with pytest.raises(ReleaseError, match="not signed with RELEASE_PUBLIC_KEY"):
        replace(signing, signer=Signer(other)).verify(1)


def test_a_manifest_changed_after_signing_is_refused(store: ReleaseStore, tmp_path, keys) -> None:
    public, secret = keys
    Signer(None, secret).sign(store.folder(1))
    (tmp_path / "key.pub").write_text(f"untrusted comment: a key\n{public}\n")
    signed = replace(store, signer=Signer(str(tmp_path / "key.pub")))
    signed.verify(1)
    manifest = store.folder(1) / "manifest.json"
    manifest.write_text(manifest.read_text() + "\n")
    with pytest.raises(ReleaseError, match="not signed with RELEASE_PUBLIC_KEY"):
        signed.verify(1)


def test_a_key_that_is_none_is_told(store: ReleaseStore, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("no key")
    with pytest.raises(ReleaseError, match="cannot sign"):
        Signer(None, tmp_path / "key").sign(store.folder(1))
