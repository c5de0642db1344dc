"""The shop itself, its locations, and the app that talks to it."""
