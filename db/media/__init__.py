"""Pictures and video: encoded, decoded exactly by frame, resized, and made black for good."""
