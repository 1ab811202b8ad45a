"""Page 'Phenotypes': gallery, confusion matrix, groups, colours."""
