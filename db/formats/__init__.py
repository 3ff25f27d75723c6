"""What others have and want: videos without inputs, and video beside a table of frames and actions."""
