"""The report of a release: one self-contained HTML page for the mayor, then theme by theme for who has to check it."""
