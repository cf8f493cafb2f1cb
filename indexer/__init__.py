"""Article files -> articles -> an engine."""
