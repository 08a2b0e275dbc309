"""Rules, the alert state machine, the outbox and delivery channels."""
