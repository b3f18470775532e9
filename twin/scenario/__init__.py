"""The town as it is planned: what leaves, what stays and what arrives."""
