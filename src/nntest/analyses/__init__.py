"""What all analyses share: their contract, options, the choice of rows, cases, colours, and the runner."""
