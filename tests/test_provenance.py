"""Provenance names versions and carries what the caller knows."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from napari_channelmix.provenance import PACKAGES, package_version, provenance


def test_provenance_is_json_with_versions_time_and_the_callers_facts() -> None:
    facts = json.loads(json.dumps(provenance(seed=3, settings={"epochs": 2})))
    assert facts["seed"] == 3
    assert facts["settings"] == {"epochs": 2}
    assert set(facts["versions"]) == set(PACKAGES)
    assert facts["versions"]["torch"]
    made = datetime.fromisoformat(facts["made"])
    assert abs(datetime.now(UTC) - made) < timedelta(minutes=1)


def test_the_version_of_an_absent_package_is_none() -> None:
    assert package_version("no-such-package-anywhere") is None
    assert package_version("numpy")
