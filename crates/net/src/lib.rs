//! Every socket: SIP over UDP and TCP, and RTP.
