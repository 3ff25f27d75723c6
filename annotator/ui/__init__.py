"""The windows: views on `annotator.model`. Qt lives here and nowhere else in this package."""
