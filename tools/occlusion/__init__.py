"""How the model of covered faces is trained."""
