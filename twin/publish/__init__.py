"""What leaves the house: GeoPackage files, pictures, the manifest and the release that holds them."""
