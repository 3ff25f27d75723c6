"""What the timeline and the picture show: the axis, the lanes, and where to go next."""
