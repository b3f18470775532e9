"""Which public roofs and car parks an energy cooperative should look at first."""
