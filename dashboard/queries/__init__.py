"""From the store to small frozen views: what the pages say, before anybody draws it."""
