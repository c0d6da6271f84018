"""The command line: parse options, call one function, map errors to a sentence."""
