"""What tests of the session share."""

import pytest


@pytest.fixture(params=["in bulk", "one by one"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Messages are taken out of the bytes many at a time, and then all again with paho bringing each."""
    if request.param == "one by one":
        monkeypatch.setattr("mqtt.session.bulk_works", lambda _: False)
    return str(request.param)
