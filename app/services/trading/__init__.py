"""What changes a portfolio by itself: orders that meet the market, corporate actions."""
