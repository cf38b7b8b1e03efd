"""What a portfolio's entries amount to: lots, value, returns, daily equity."""
