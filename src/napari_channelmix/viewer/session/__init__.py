"""What one viewer is working on: data sets, classifier, results, selection. It knows no Qt."""
