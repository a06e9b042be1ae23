"""The programs of the local world, built from source into a per-user cache."""
