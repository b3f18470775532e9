"""Carbon: the grid's emission factor by year, what rooftop sun avoids, and the path to the site's targets."""
