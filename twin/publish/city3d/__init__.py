"""The town in three dimensions: CityJSON, 3D Tiles and a GeoPackage of buildings alone."""
