"""The Hugging Face Hub: model cards, what is pushed, and weights at a pinned revision."""
