"""Weather files of every format that planners have, read into one record.

`geodata.weather.record` holds the record and the checks that every format goes through; the other modules hold one
format each. `geodata.products.weather` is the door: it reads whatever weather file an inbox holds.
"""
