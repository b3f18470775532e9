"""The town's green: what covers the ground, and how much of it is green."""
