"""Green as people reach it: the way on foot to a park, trees in sight of a window, shade on the way."""
