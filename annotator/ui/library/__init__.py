"""The library's window and its pages: sessions and trash, statistics, storage."""
