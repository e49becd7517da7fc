"""The ledger: what text may enter it, its records, its tables, and every statement that reads or writes them.

Imports nothing else of ours. Only this package writes SQL.
"""
