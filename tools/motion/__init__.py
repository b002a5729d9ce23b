"""How the classifier of facial motion is trained and tried."""
