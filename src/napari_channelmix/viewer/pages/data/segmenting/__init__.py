"""Objects are segmented in a channel: settings, and a preview in the picture."""
