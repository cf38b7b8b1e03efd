"""Backtests: strategies over stored prices, traded by the rules of the market.

`engine.run` runs one, `sweeping.sweep` a grid; `walking.walk_forward` chooses on the past and
trades the future. Signals look at prices adjusted forward (`history`); fills, ticks, limits,
quantities, costs and lots are as traded. Imports the compiled loops: workers and the command line
use it, never the web process.
"""
