//! Reads and writes session descriptions, and works out answers to offers.
