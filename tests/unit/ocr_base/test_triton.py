import json

import pytest

from ocr_base.triton import Canary, Releases, release_of, served_name


def test_a_served_name_says_its_release() -> None:
    assert release_of(served_name("text_detection", 12)) == 12
    assert [release_of(name) for name in ("text_recognition", "a_r0", "_r1", "a_r1x")] == [None] * 4


@pytest.mark.parametrize(
    "releases", [Releases(1), Releases(3, 1), Releases(3, 1, Canary(4, share=0.05, shadow=0.1))]
)
def test_releases_are_read_as_they_were_written(releases: Releases) -> None:
    assert Releases.from_json(releases.to_json()) == releases


def test_releases_are_written_as_before() -> None:
    written = json.loads(Releases(3, 1, Canary(4, 0.05)).to_json())
    canary = {"release": 4, "share": 0.05, "shadow": 0.0}
    assert written == {"live": 3, "previous": 1, "canary": canary}


def test_whatever_a_document_can_be_read_with_is_served() -> None:
    assert Releases(3, 1, Canary(4)).served == (3, 1, 4)
    assert Releases(3).served == (3,)


@pytest.mark.parametrize("text", ["", "{}", "[]", "3", '{"live": 1, "canary": {"part": 1}}'])
def test_what_says_nothing_of_releases_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the text is Python's own or ours
        Releases.from_json(text)
