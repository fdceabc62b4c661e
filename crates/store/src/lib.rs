//! SQLite: voicemail, bindings and call records, on a thread of its own.
