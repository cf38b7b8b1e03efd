"""The record of a real account: files of transactions, proposals."""
