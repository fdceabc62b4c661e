//! Call control: what a call, a registration or a mailbox does next.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::wildcard_enum_match_arm
    )
)]

mod asides;
mod auth;
mod call;
mod clock;
mod config;
mod desk;
mod feature;
mod guessers;
mod input;
mod job;
mod notice;
mod output;
mod outside;
mod post;
mod prompts;
pub mod records;
mod registrar;
mod repeats;
mod snapshot;
mod speech;
mod steps;
mod switch;
mod telling;
pub mod verdict;

/// What scripts ask for and are answered, as the rim has to know it.
pub use dialplan::{
    Answer, Changed, Fetched, Query, Speech, SqlValue, SqlValues, Statement, Wants, WebRequest,
    WebResponse,
};

pub use config::{Account, Config, Limits, Listener, MailboxConfig, Peer};
pub use feature::prompt_names;
pub use input::{AskedId, Command, CommandId, Input, Reload, WebTrust};
pub use notice::{Cost, Notice, ScriptFailure, ScriptStrain};
pub use output::Output;
pub use outside::{Allowed, Distrust, FetchError, FetchRequest, Reach, refused_fetch};
pub use prompts::Prompts;
pub use snapshot::{CallNow, CallState, GenerationNow, Snapshot};
pub use speech::{SpeechBy, SpeechError, SpeechRequest, Synthesiser};
pub use switch::{Start, Switch};
