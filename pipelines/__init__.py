"""What is built from what, when, and whether it may go on. Holds no geometry and no physics."""
