"""The edges: each module is the only user of its library."""
