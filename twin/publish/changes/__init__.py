"""What changed from one release to the next: as a GeoPackage, as a page, and as indicators over all releases."""
