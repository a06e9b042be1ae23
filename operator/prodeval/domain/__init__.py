"""What prodeval knows: values in, values out, no I/O."""
