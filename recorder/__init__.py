"""The recorder: screen and inputs of one game window into a session of the library. Imports only db."""
