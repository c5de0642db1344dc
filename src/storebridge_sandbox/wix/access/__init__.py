"""Who may call: OAuth, API keys, the app's instance."""
