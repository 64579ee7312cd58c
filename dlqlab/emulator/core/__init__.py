"""What every service here shares: isolation, deadlines, spilled bytes, processors, calls to LocalStack's services."""
