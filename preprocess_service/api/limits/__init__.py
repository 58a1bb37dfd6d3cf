"""Limits of requests: keys, rates, slots, connections and deadlines."""
