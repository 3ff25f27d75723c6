"""What the windows can do and by which keys: tables of actions, a person's own keys, the sheet, the palette."""
