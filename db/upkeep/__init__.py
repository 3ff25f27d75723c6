"""Looking after a library: backups, moves, the trash, room on the disk, withdrawals, and who has what open."""
