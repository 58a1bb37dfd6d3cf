"""What every program here shares: its version, its settings' sources, its part of the machine."""
