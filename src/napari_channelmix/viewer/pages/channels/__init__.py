"""Page 'Channels': channel importance with its reliability."""
