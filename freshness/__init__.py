"""The maths of freshness: how a read of a cache is judged.

Pure: no I/O, no clock, no logging, and no import of any other package of ours. Instants are
integers on one clock; the running system counts nanoseconds, and nothing here depends on the unit.
"""
