"""Money: what rooftop sun costs and earns, by closed forms."""
