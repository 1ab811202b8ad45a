"""Page 'Classifier': train one, see how good it is, save, open and apply it."""
