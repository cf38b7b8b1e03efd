"""Sources of prices: their order, and one question to them."""
