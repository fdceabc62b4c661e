//! Cutting a byte stream into messages by Content-Length (RFC 3261 §18.3), and answering its
//! keep-alives (RFC 5626 §3.5.1).

use bytes::{Buf, Bytes, BytesMut};

use crate::error::{Flaw, ParseError};
use crate::limits::{HEAD_BYTES_MAX, LINE_BYTES_MAX, MESSAGE_BYTES_MAX, STREAM_BYTES_MAX};
use crate::scan::{self, ContentLength};

/// The bytes of one connection on their way to becoming messages.
///
/// Push what was read, then take until `None`. After an error the connection is to be closed.
#[derive(Debug, Default)]
pub struct Framer {
    buffer: BytesMut,
    /// Where to go on looking for the end of the headers.
    searched: usize,
    /// Length of the message being received, once its headers are complete.
    message_len: Option<usize>,
    /// Set once nothing that follows can be trusted.
    failed: Option<FrameError>,
}

/// What a stream yields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Framed {
    /// Exactly one message, for [`crate::Message::parse`].
    Message(Bytes),
    /// CR LF CR LF between messages: to be answered with CR LF.
    Ping,
}

/// Why no more messages can be cut from a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{flaw}")]
pub struct FrameError {
    /// What is wrong.
    pub flaw: Flaw,
}

impl Framer {
    /// For a new connection.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends bytes as they were read. Call [`Framer::next`] until `None` after each.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.failed.is_some() {
            return;
        }
        if self.buffer.len() + bytes.len() > STREAM_BYTES_MAX {
            self.fail(Flaw::TooLarge);
            return;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Bytes that wait for the rest of their message; 0 between messages.
    pub fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// The next message or keep-alive; `None` until more bytes came.
    ///
    /// A message whose Content-Length cannot be trusted is handed out once, without its body, so
    /// that it can be answered: `Request::check` refuses it. The next call gives the error.
    ///
    /// # Errors
    /// What makes all further bytes worthless; the same again at each later call.
    #[expect(clippy::should_implement_trait, reason = "it fails, and goes on after `None`")]
    pub fn next(&mut self) -> Result<Option<Framed>, FrameError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if self.message_len.is_none() && self.searched == 0 && self.take_line_ends() {
            return Ok(Some(Framed::Ping));
        }
        let message_len = match self.message_len {
            Some(message_len) => message_len,
            None => match self.find_head()? {
                Some(head_len) => {
                    let message_len = self.measure(head_len)?;
                    self.message_len = Some(message_len);
                    message_len
                }
                None => return Ok(None),
            },
        };
        if self.buffer.len() < message_len {
            return Ok(None);
        }
        self.message_len = None;
        self.searched = 0;
        let message = self.buffer.split_to(message_len).freeze();
        if self.failed.is_some() || self.buffer.is_empty() {
            // Not only empty, but without a hold on the memory of what was just cut off.
            self.buffer = BytesMut::new();
        }
        Ok(Some(Framed::Message(message)))
    }

    /// Takes line ends from between messages; true if they are a ping.
    fn take_line_ends(&mut self) -> bool {
        loop {
            match self.buffer.as_ref() {
                [b'\r', b'\n', b'\r', b'\n', ..] => {
                    self.buffer.advance(4);
                    return true;
                }
                // More may come to make it a ping.
                [b'\r'] | [b'\r', b'\n'] | [b'\r', b'\n', b'\r'] => return false,
                [b'\r', b'\n', ..] => self.buffer.advance(2),
                [b'\n', ..] => self.buffer.advance(1),
                _ => return false,
            }
        }
    }

    /// Length of the headers with the empty line after them, once complete.
    fn find_head(&mut self) -> Result<Option<usize>, FrameError> {
        if matches!(self.buffer.as_ref(), [] | [b'\r'] | [b'\r', b'\n'] | [b'\r', b'\n', b'\r']) {
            return Ok(None);
        }
        while let Some(len) =
            self.buffer.get(self.searched..).and_then(|rest| memchr::memchr(b'\n', rest))
        {
            let line_end = self.searched + len + 1;
            if self.searched == 0
                && let Err(ParseError { flaw: flaw @ Flaw::NotSip, .. }) =
                    scan::start_line(self.buffer.get(..line_end).unwrap_or_default(), 0)
            {
                // Some other protocol, or noise: no need to hear more of it.
                return Err(self.fail(flaw));
            }
            let line = self.buffer.get(self.searched..line_end);
            if matches!(line, Some(b"\n" | b"\r\n")) {
                return if line_end > HEAD_BYTES_MAX {
                    Err(self.fail(Flaw::TooLarge))
                } else {
                    Ok(Some(line_end))
                };
            }
            self.searched = line_end;
        }
        let pending = self.buffer.len() - self.searched;
        if self.buffer.len() > HEAD_BYTES_MAX || pending > LINE_BYTES_MAX {
            return Err(self.fail(Flaw::TooLarge));
        }
        Ok(None)
    }

    /// Length of the whole message, given that of its head.
    fn measure(&mut self, head_len: usize) -> Result<usize, FrameError> {
        let head = self.buffer.get(..head_len).unwrap_or_default();
        let fields_at = memchr::memchr(b'\n', head).map_or(head_len, |at| at + 1);
        let fields = scan::fields(head, fields_at);
        match fields.content_length {
            ContentLength::Bytes(announced) => {
                let len = usize::try_from(announced)
                    .ok()
                    .and_then(|announced| head_len.checked_add(announced))
                    .filter(|&len| len <= MESSAGE_BYTES_MAX);
                Ok(len.unwrap_or_else(|| {
                    self.fail(Flaw::BodyTooLarge);
                    head_len
                }))
            }
            ContentLength::Bad(flaw) => {
                self.fail(flaw);
                Ok(head_len)
            }
            // Without one the message would pass as whole, and its body as the next message.
            ContentLength::Missing => Err(self.fail(Flaw::Missing("Content-Length"))),
        }
    }

    fn fail(&mut self, flaw: Flaw) -> FrameError {
        let error = FrameError { flaw };
        self.failed = Some(error);
        error
    }
}

#[cfg(test)]
mod tests;
