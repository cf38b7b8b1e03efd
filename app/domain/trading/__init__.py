"""Rules of trading in Korea and the United States: what an order may ask, costs and becomes."""
