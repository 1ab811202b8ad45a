"""Page 'What if': a real cell is changed on purpose, and the classifier is asked again."""
