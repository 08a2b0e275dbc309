"""Random histories with the truth hidden from the judge, and the properties it must keep."""
