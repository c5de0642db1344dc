"""The nouns: plain frozen data, no I/O. Money is Decimal with a currency, times are aware UTC."""
