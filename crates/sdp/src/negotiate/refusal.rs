//! Why an offer or answer cannot become a call, as a Warning (RFC 3261 §20.43).

use crate::Description;

/// Why no stream came of an offer and its answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No audio over plain RTP is offered, or none was accepted.
    #[error("no audio over RTP/AVP; there was {offered}")]
    NoAudio {
        /// The kinds of stream there were, in words.
        offered: String,
    },
    /// There is audio, but no codec that both sides speak.
    #[error("no common audio codec; there was {offered}")]
    NoCommonCodec {
        /// The codecs there were, in words.
        offered: String,
    },
}

impl Refusal {
    /// The code and text for a `Warning` header in the 488 (RFC 3261 §20.43).
    ///
    /// 304 means that the type of media is not available, 305 the format. The text is safe inside a
    /// quoted string: printable ASCII without quotes and backslashes, and at most some 200 bytes.
    pub fn warning(&self) -> (u16, String) {
        let code = match self {
            Refusal::NoAudio { .. } => 304,
            Refusal::NoCommonCodec { .. } => 305,
        };
        (code, self.to_string())
    }

    pub(crate) fn no_audio(description: &Description) -> Refusal {
        let streams = description.media.iter().map(|line| {
            let refused = if line.is_refused() { " (port 0)" } else { "" };
            format!("{} over {}{refused}", line.kind, line.protocol)
        });
        Refusal::NoAudio { offered: listed(streams) }
    }

    pub(crate) fn no_common_codec(description: &Description) -> Refusal {
        let lines = description.media.iter().filter(|line| line.is_rtp_audio());
        let codecs = lines.flat_map(|line| line.codecs()).filter(|codec| codec.is_voice());
        let names = codecs.map(|codec| format!("{}/{}", codec.name, codec.rate_hz));
        Refusal::NoCommonCodec { offered: listed(names) }
    }
}

/// The words with commas, cleaned and cut so that a header can hold them.
fn listed(words: impl Iterator<Item = String>) -> String {
    let mut list = String::new();
    for word in words {
        if list.len() > LIST_BYTES_MAX {
            list.push_str(", ...");
            break;
        }
        if !list.is_empty() {
            list.push_str(", ");
        }
        let safe = |c: &char| (' '..='~').contains(c) && !matches!(c, '"' | '\\');
        list.extend(word.chars().filter(safe).take(WORD_BYTES_MAX));
    }
    if list.is_empty() { "none".into() } else { list }
}

const LIST_BYTES_MAX: usize = 100;
const WORD_BYTES_MAX: usize = 40;
