"""The proof: speed and accuracy beside other programs, beside the machine's limit, and growth."""
