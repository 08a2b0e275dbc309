"""The three cache layers of the shop: edge over app over regional over the origin."""
