"""The variants of generators, translators and discriminators."""
