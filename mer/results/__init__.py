"""What is shown of predictions and records: tables, pictures, charts and reports."""
