"""What is computed from stored prices: indicators, signals, their worth, correlations."""
