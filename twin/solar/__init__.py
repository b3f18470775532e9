"""Solar resource, irradiance on roofs, and photovoltaic yield."""
