"""Portfolios: the ledger, the books folded from it, their value and their history."""
