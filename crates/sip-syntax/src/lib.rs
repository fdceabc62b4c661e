//! Turns bytes into SIP messages and back, losing nothing it does not understand.
