"""Transactions as files: what is read of others' exports, and our own format, written and read.

tables · workbook    bytes -> lines of cells, within limits
cells                a cell -> a number, a day, a currency
columns · kinds      what a header's names and a broker's words mean
mapping              what somebody has said about a file, kept as a preset
drafts               what a line of another's file says -> an entry
own · foreign        lines of our own format; of two programs and of brokers
rows · reading       a file -> its rows, each an entry or a located fault
duplicates           which rows the file or the portfolio has already
writing              entries -> our own format
"""
