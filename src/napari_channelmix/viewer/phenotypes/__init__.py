"""The parts of the dock 'Phenotypes': gallery, confusion matrix, groups, colours."""
