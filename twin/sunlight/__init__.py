"""Direct sun at the walls of homes on the shortest day."""
