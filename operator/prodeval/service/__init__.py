"""The use cases, over the ports that the adapters fill."""
