"""Programs that go wrong in one way each, and how tests build and start them."""
