"""Roof planes fitted to the heights of a surface model."""
