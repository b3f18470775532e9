"""The one job: everything, from the inbox to the release."""

from __future__ import annotations

import dagster as dg

NIGHTLY = "nightly"


def nightly_job() -> dg.UnresolvedAssetJobDefinition:
    """Return the job that the night and `twin run` execute."""
    return dg.define_asset_job(
        NIGHTLY,
        selection=dg.AssetSelection.all(),
        description="From the inbox to a published release. What has not changed is taken from the store. · 인박스에서 릴리스까지.",
    )
