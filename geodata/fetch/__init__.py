"""Fetching what agencies offer by API into the inbox, so that every run afterwards is offline and reproducible."""
