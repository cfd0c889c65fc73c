"""The rules for names, money, barcodes, times and other values: pure functions."""
