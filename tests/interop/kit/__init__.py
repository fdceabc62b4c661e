"""What the cases are written with: the server under test, phones, sound, and the running of cases."""
