"""The variants of data, and the columns that their examples have."""
