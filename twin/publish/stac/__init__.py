"""The SpatioTemporal Asset Catalog of a release: what every file in it is, in words that data portals read."""

from twin.publish.stac.catalogue import with_catalogue
from twin.publish.stac.facts import Facts, Provider, release_facts

__all__ = ["Facts", "Provider", "release_facts", "with_catalogue"]
