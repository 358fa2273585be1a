"""Versions in their order."""

import itertools

import pytest

from appliance.host import semver
from appliance.host.semver import BadVersion

# semver.org, section 11, and what lies around it
ASCENDING = [
    "0.9",
    "0.9.1-rc.1",
    "0.9.1",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.0.1",
    "1.2",
    "1.10.0",
    "2",
    "2026.11.2",
    "2026.11.10",
]


def test_later_ones_are_newer() -> None:
    for older, newer in itertools.combinations(ASCENDING, 2):
        assert semver.is_older(older, newer), (older, newer)
        assert not semver.is_older(newer, older), (newer, older)
        assert semver.is_newer(newer, older)


@pytest.mark.parametrize(("one", "other"), [("1.2", "1.2.0"), ("1.2.0+a", "1.2.0+b"), ("01.2", "1.2")])
def test_the_same(one: str, other: str) -> None:
    assert semver.order(one) == semver.order(other)
    assert not semver.is_newer(one, other)
    assert not semver.is_older(one, other)


@pytest.mark.parametrize(
    "text", ["", "v1.2", "1.2.3.4", "1.2.", "latest", "1.2 3", "1.2-", "-1", "٣", "1" * 65]
)
def test_what_is_no_version_is_never_newer(text: str) -> None:
    with pytest.raises(BadVersion):
        semver.order(text)
    assert not semver.is_newer(text, "0.1.0")
