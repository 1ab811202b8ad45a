"""Files become a data set: what they hold is previewed, corrected and opened."""
