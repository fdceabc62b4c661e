//! How much of anything one message may hold; what happens beyond is said at each limit.

/// Bytes of one message, start line to end of body. Beyond: dropped, or 413 when only announced.
pub const MESSAGE_BYTES_MAX: usize = 64 * 1024;

/// Bytes of the start line and all header fields. Beyond: 513.
pub const HEAD_BYTES_MAX: usize = 64 * 1024;

/// Header fields of one message. Beyond: 513.
pub const FIELDS_MAX: usize = 256;

/// Bytes of the start line or of one header field with its folds. Beyond: 513.
pub const LINE_BYTES_MAX: usize = 8 * 1024;

/// Bytes a stream may hold before a message must have been cut from it. Beyond: it is closed.
pub const STREAM_BYTES_MAX: usize = 2 * MESSAGE_BYTES_MAX - 1;

/// Bytes of the Request-URI (beyond: 414) and of any other URI (beyond: 400).
pub const URI_BYTES_MAX: usize = 2 * 1024;

/// Bytes of a method name. Beyond: the message is dropped.
pub const METHOD_BYTES_MAX: usize = 128;

/// Values of one list header, over all its fields: Via, Route, Contact and so on. Beyond: 400.
pub const VALUES_MAX: usize = 128;

/// Parameters of one value. Beyond: 400.
pub const PARAMS_MAX: usize = 64;

/// Bytes of a From or To tag. Beyond: 400.
pub const TAG_BYTES_MAX: usize = 512;

/// Bytes of a Via branch. Beyond: 400.
pub const BRANCH_BYTES_MAX: usize = 512;

/// Bytes of a Call-ID. Beyond: 400.
pub const CALL_ID_BYTES_MAX: usize = 512;
