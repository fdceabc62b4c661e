//! Why a body is not a session description we can act on.

use crate::{BODY_BYTES_MAX, MEDIA_LINES_MAX};

/// Why bytes are not a session description we can act on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SdpError {
    /// More than [`BODY_BYTES_MAX`].
    #[error("session description longer than {BODY_BYTES_MAX} bytes")]
    TooLarge,
    /// More than [`MEDIA_LINES_MAX`] streams.
    #[error("more than {MEDIA_LINES_MAX} media lines")]
    TooManyMedia,
    /// A line cannot be read, or stands twice where once is allowed (RFC 8866 §5).
    #[error("{problem}")]
    Malformed {
        /// What is wrong, with the number of the line.
        problem: String,
    },
}
