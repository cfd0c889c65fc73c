"""What a name, an amount, a barcode or a time may be: pure functions."""
