"""The library's index: its tables, its lists, searches and sums."""
