"""The networks, and how their inputs and outputs are coded."""
