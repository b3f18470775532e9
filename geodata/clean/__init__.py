"""Clean layers: what agencies hand out, judged, repaired and accounted for, record by record."""
