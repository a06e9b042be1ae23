"""The tutorial's story on one machine: real servers on loopback, and a small Keptn between them."""
