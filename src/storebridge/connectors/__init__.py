"""The edge: connectors encode, send and decode. They keep no state but a token and a rate budget."""
