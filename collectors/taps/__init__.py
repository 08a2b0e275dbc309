"""Sources of invalidations that are listened to all the time: buses, streams and databases."""
