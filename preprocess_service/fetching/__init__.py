"""Requests to addresses that callers name: public ones only, checked where they are connected."""
