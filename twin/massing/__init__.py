"""Believable buildings for blocks that are only planned: how much may stand there, how it is laid out, how homes are shared."""
