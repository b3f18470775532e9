"""Energy: what the town's buildings draw hour by hour, how much of it their own roofs give, and how sure that is."""
