"""The web page of a release: static files that open from a disk, without any service."""
