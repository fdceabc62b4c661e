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

mod auth;
mod call;
mod clock;
mod config;
mod desk;
mod feature;
mod input;
mod notice;
mod output;
mod post;
mod prompts;
pub mod records;
mod registrar;
mod repeats;
mod snapshot;
mod switch;
pub mod verdict;

pub use config::{Account, Config, Limits, Listener, MailboxConfig, Peer};
pub use feature::prompt_names;
pub use input::{Command, CommandId, Input, Reload};
pub use notice::{Cost, Notice, ScriptFailure, ScriptStrain};
pub use output::Output;
pub use prompts::Prompts;
pub use snapshot::{CallNow, CallState, GenerationNow, Snapshot};
pub use switch::{Start, Switch};
